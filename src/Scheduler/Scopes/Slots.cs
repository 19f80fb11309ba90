namespace NetGo;

/// <summary>How many tasks of an <see cref="ErrGroup"/> run, and who waits to start one. A slot that becomes free while someone
/// waits goes to the first who does. Unlike a <see cref="GoSemaphore"/> it may have no limit, or have it changed while it is not in
/// use.</summary>
internal sealed class Slots(int limit) : IWaiterOwner
{
    // Guards all. Somebody waits only while no slot is free.
    private SpinMutex _lock;
    private int _limit = limit;
    private int _taken;
    private WaiterQueue<GrantWaiter> _waiters;

    public bool IsLimited => Volatile.Read(ref _limit) >= 0;

    public void SetLimit(int limit)
    {
        _lock.Enter();
        bool inUse = _taken > 0 || !_waiters.IsEmpty;
        if (!inUse)
            _limit = limit;
        _lock.Exit();
        if (inUse)
            throw new InvalidOperationException("The limit cannot be changed while tasks of the group are running or waiting to be started.");
    }

    public bool TryTake()
    {
        _lock.Enter();
        bool taken = TryTakeLocked();
        _lock.Exit();
        return taken;
    }

    public ValueTask TakeAsync(CancellationToken cancellationToken)
    {
        GrantWaiter? waiter = null;
        _lock.Enter();
        if (!TryTakeLocked())
        {
            waiter = GrantWaiter.Rent(this, WaitReason.Scope);
            _waiters.PushBack(waiter);
        }
        _lock.Exit();
        return waiter?.WaitAsync(cancellationToken) ?? default;
    }

    public void Release()
    {
        _lock.Enter();
        GrantWaiter? next = _waiters.PopFront(); // the slot is his now
        if (next is null)
            _taken--;
        _lock.Exit();
        next?.Grant(next: false);
    }

    private bool TryTakeLocked()
    {
        if (_limit >= 0 && _taken >= _limit)
            return false;
        _taken++;
        return true;
    }

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        _lock.Enter();
        bool withdrawn = _waiters.TryRemove(waiter);
        _lock.Exit();
        return withdrawn;
    }
}
