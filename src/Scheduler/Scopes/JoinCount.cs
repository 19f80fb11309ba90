namespace NetGo;

/// <summary>Counts what runs for an owner, who is counted too until it begins to wait: so the count is zero once, at the end,
/// and nothing can be added after that.</summary>
internal sealed class JoinCount
{
    private readonly Latch _ended = new();
    private int _count = 1;
    private int _ownerWaits;

    public bool HasEnded => _ended.IsSet;

    /// <summary>Counts one more. False when all have ended.</summary>
    public bool TryAdd()
    {
        int count = Volatile.Read(ref _count);
        while (count > 0)
        {
            int seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count)
                return true;
            count = seen;
        }
        return false;
    }

    /// <summary>One has ended.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _count) == 0)
            _ended.Set();
    }

    /// <summary>Waits until all have ended. From the first call on the owner is not counted.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (Interlocked.Exchange(ref _ownerWaits, 1) == 0)
            Release();
        return _ended.WaitAsync(WaitReason.Scope, cancellationToken);
    }
}
