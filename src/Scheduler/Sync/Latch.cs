namespace NetGo;

/// <summary>An event that, once set, stays set. Any number of goroutines may wait for it, any thread may set it, more than
/// once.</summary>
internal sealed class Latch : IWaiterOwner
{
    // Guards all. Nobody waits once it is set.
    private SpinMutex _lock;
    private bool _set;
    private WaiterQueue<GrantWaiter> _waiters;

    public bool IsSet => Volatile.Read(ref _set);

    /// <summary>Lets all go on who wait or will wait, in the order in which they came.</summary>
    public void Set()
    {
        _lock.Enter();
        Volatile.Write(ref _set, true);
        WaiterQueue<GrantWaiter> released = _waiters.TakeAll(out _);
        _lock.Exit();
        GrantWaiter.GrantAll(ref released);
    }

    /// <summary>Waits until it is set. The wait begins with this call; the result is to be awaited once.</summary>
    public ValueTask WaitAsync(WaitReason reason, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        GrantWaiter? waiter = null;
        _lock.Enter();
        if (!_set)
        {
            waiter = GrantWaiter.Rent(this, reason);
            _waiters.PushBack(waiter);
        }
        _lock.Exit();
        if (waiter is not null)
            return waiter.WaitAsync(cancellationToken);
        return Machine.SpendBudget() ? Go.YieldAsync() : default;
    }

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        _lock.Enter();
        bool withdrawn = _waiters.TryRemove(waiter);
        _lock.Exit();
        return withdrawn;
    }
}
