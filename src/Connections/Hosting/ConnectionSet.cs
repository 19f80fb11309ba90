namespace NetGo.Connections;

/// <summary>The connections of a server. Thread-safe.</summary>
/// <param name="limit">The most at once.</param>
internal sealed class ConnectionSet(int limit)
{
    private readonly HashSet<ServerConnection> _connections = [];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ending;

    public int Limit => limit;

    public int Count
    {
        get
        {
            lock (_connections)
                return _connections.Count;
        }
    }

    /// <summary>False when there are as many as there may be, or it is to become empty.</summary>
    public bool TryAdd(ServerConnection connection)
    {
        lock (_connections)
            return !_ending && _connections.Count < limit && _connections.Add(connection);
    }

    public void Remove(ServerConnection connection)
    {
        lock (_connections)
        {
            _connections.Remove(connection);
            if (!_ending || _connections.Count > 0)
                return;
        }
        _empty.TrySetResult();
    }

    public ServerConnection[] ToArray()
    {
        lock (_connections)
            return [.. _connections];
    }

    /// <summary>When the last of them has ended: none is added any more.</summary>
    public Task WhenEmpty()
    {
        lock (_connections)
        {
            _ending = true;
            if (_connections.Count == 0)
                _empty.TrySetResult();
        }
        return _empty.Task;
    }
}
