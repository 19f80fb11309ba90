namespace NetGo;

/// <summary>How many tasks of an <see cref="ErrGroup"/> run, and who waits to start one. A slot that becomes free while someone
/// waits goes to the first who does.</summary>
internal sealed class Slots(int limit)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Latch> _waiting = new();
    private int _limit = limit;
    private int _taken;

    public bool IsLimited => Volatile.Read(ref _limit) >= 0;

    public void SetLimit(int limit)
    {
        lock (_lock)
        {
            if (_taken + _waiting.Count > 0)
                throw new InvalidOperationException("The limit cannot be changed while tasks of the group are running or waiting to be started.");
            _limit = limit;
        }
    }

    public bool TryTake()
    {
        lock (_lock)
        {
            if (_limit >= 0 && _taken >= _limit)
                return false;
            _taken++;
            return true;
        }
    }

    public async ValueTask TakeAsync(CancellationToken cancellationToken)
    {
        LinkedListNode<Latch> place;
        lock (_lock)
        {
            if (_limit < 0 || _taken < _limit)
            {
                _taken++;
                return;
            }
            place = _waiting.AddLast(new Latch());
        }
        try
        {
            await place.Value.WaitAsync(WaitReason.Scope, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                if (place.List is not null)
                {
                    _waiting.Remove(place);
                    throw;
                }
            }
            // The slot was given at the same moment: it is to be used.
        }
    }

    public void Release()
    {
        Latch? next;
        lock (_lock)
        {
            next = _waiting.First?.Value;
            if (next is null)
                _taken--;
            else
                _waiting.RemoveFirst();
        }
        next?.Set();
    }
}
