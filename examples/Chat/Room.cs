namespace Chat;

/// <summary>What has been said, and who listens. Thread-safe.</summary>
internal sealed class Room
{
    private const int Kept = 50;

    private readonly Lock _lock = new();
    private readonly Queue<Message> _last = new();
    private readonly HashSet<Listener> _listeners = [];
    private long _lastId;

    /// <summary>Says something to all.</summary>
    public void Say(string text)
    {
        lock (_lock)
        {
            var message = new Message(++_lastId, text);
            _last.Enqueue(message);
            if (_last.Count > Kept)
                _last.Dequeue();
            _listeners.RemoveWhere(listener => !listener.TryAdd(message));
        }
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="after">The id of the last message that the client has seen: what was said since comes first, as far as it is
    /// kept.</param>
    public Listener Enter(long after)
    {
        var listener = new Listener();
        lock (_lock)
        {
            if (after > _lastId)
                after = 0; // an id of a server that was here before
            foreach (Message message in _last)
            {
                if (message.Id > after)
                    _ = listener.TryAdd(message);
            }
            _listeners.Add(listener);
        }
        return listener;
    }

    public void Leave(Listener listener)
    {
        lock (_lock)
            _listeners.Remove(listener);
    }
}
