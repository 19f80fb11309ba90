namespace NetGo;

/// <summary>A number of units that goroutines take and give back; Go's golang.org/x/sync/semaphore.Weighted. Served first come,
/// first served: who waits for many units is not overtaken by others that need few. A wait begins with the call, and its result is
/// to be awaited once. All members may be used from any thread. Waiting holds no thread.</summary>
public sealed class GoSemaphore : IWaiterOwner
{
    // Guards all. Whoever waits first waits for more than is available, between any two uses of the lock.
    private SpinMutex _lock;
    private long _available;
    private WaiterQueue<GrantWaiter> _waiters;

    /// <summary>Makes one with all units available.</summary>
    /// <param name="size">How many units there are.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is negative.</exception>
    public GoSemaphore(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Size = size;
        _available = size;
    }

    /// <summary>How many units there are.</summary>
    public long Size { get; }

    /// <summary>How many units nobody has, at this moment. They may be reserved for somebody who waits for more.</summary>
    public long Available => Volatile.Read(ref _available);

    /// <summary>Takes units, waiting until there are enough and whoever waits longer has been served.</summary>
    /// <param name="n">How many.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is taken then.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is negative, or more than there are at all. (Go waits
    /// until the context is done.)</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the units were taken.</exception>
    public ValueTask AcquireAsync(long n = 1, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(n, Size);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        GrantWaiter? waiter = null;
        _lock.Enter();
        if (!TryTakeLocked(n))
        {
            waiter = GrantWaiter.Rent(this, WaitReason.Semaphore);
            waiter.Units = n;
            _waiters.PushBack(waiter);
        }
        _lock.Exit();
        if (waiter is not null)
            return waiter.WaitAsync(cancellationToken);
        return Machine.SpendBudget() ? Go.YieldAsync() : default;
    }

    /// <summary>Takes units if that needs no wait.</summary>
    /// <param name="n">How many.</param>
    /// <returns>Whether they were taken.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is negative.</exception>
    public bool TryAcquire(long n = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        _lock.Enter();
        bool taken = TryTakeLocked(n);
        _lock.Exit();
        return taken;
    }

    /// <summary>Gives units back.</summary>
    /// <param name="n">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is negative.</exception>
    /// <exception cref="SemaphoreFullException">More than were taken. Nothing was given back.</exception>
    public void Release(long n = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        WaiterQueue<GrantWaiter> granted = default;
        _lock.Enter();
        bool full = n > Size - _available;
        if (!full)
        {
            _available += n;
            granted = ServeLocked();
        }
        _lock.Exit();
        if (full)
            throw new SemaphoreFullException("More units were released than were acquired.");
        GrantWaiter.GrantAll(ref granted);
    }

    private bool TryTakeLocked(long n)
    {
        if (n > _available || !_waiters.IsEmpty)
            return false;
        _available -= n;
        return true;
    }

    // Stops at the first for whom there is not enough: were the others served, many small ones could keep a large one waiting
    // for ever.
    private WaiterQueue<GrantWaiter> ServeLocked()
    {
        WaiterQueue<GrantWaiter> granted = default;
        while (_waiters.First is { } first && first.Units <= _available)
        {
            _available -= first.Units;
            _waiters.PopFront();
            granted.Append(first);
        }
        return granted;
    }

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        WaiterQueue<GrantWaiter> granted = default;
        _lock.Enter();
        bool withdrawn = _waiters.TryRemove(waiter);
        if (withdrawn)
            granted = ServeLocked(); // it may have been the one that the others waited behind
        _lock.Exit();
        GrantWaiter.GrantAll(ref granted);
        return withdrawn;
    }
}
