namespace NetGo;

/// <summary>A place where goroutines wait until another says that what they wait for may have come; Go's sync.Cond. All members
/// may be used from any thread. Waiting holds no thread.</summary>
/// <remarks>Who waits looks again after each wait, since another may have been quicker:
/// <code>
/// await cond.Mutex.LockAsync();
/// while (!condition)
///     await cond.WaitAsync();
/// // ... use what was waited for ...
/// cond.Mutex.Unlock();
/// </code></remarks>
public sealed class Cond : IWaiterOwner
{
    private SpinMutex _lock;
    private WaiterQueue<GrantWaiter> _waiters;

    // A waiter for the next who waits.
    private CondWaiter? _spare;

    /// <summary>Makes one.</summary>
    /// <param name="mutex">What guards the condition that is waited for; Go's Cond.L.</param>
    public Cond(GoMutex mutex)
    {
        ArgumentNullException.ThrowIfNull(mutex);
        Mutex = mutex;
    }

    /// <summary>What guards the condition that is waited for; Go's Cond.L.</summary>
    public GoMutex Mutex { get; }

    /// <summary>Unlocks the mutex, waits to be signalled, and locks the mutex again. The wait begins with this call, before the
    /// mutex is unlocked, so no signal is missed; the result is to be awaited at once, and once.</summary>
    /// <param name="cancellationToken">Ends the wait for a signal. The mutex is locked again all the same before the exception is
    /// thrown, however long that takes. Who was signalled before it was cancelled has been signalled.</param>
    /// <exception cref="SynchronizationLockException">The mutex is not locked.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before a signal came. The mutex is locked.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken = default)
    {
        if (!Mutex.IsLocked)
            throw new SynchronizationLockException("The mutex of a Cond must be locked by who waits.");
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        GrantWaiter signal = GrantWaiter.Rent(this, WaitReason.Cond);
        _lock.Enter();
        _waiters.PushBack(signal);
        _lock.Exit();
        CondWaiter waiter = Interlocked.Exchange(ref _spare, null) ?? new CondWaiter(this);
        ValueTask wait = waiter.WaitAsync(signal, cancellationToken);
        Mutex.Unlock();
        return wait;
    }

    /// <summary>Makes the goroutine ready that has waited longest, if one waits. The caller may have the mutex, and need not.
    /// </summary>
    public void Signal()
    {
        _lock.Enter();
        GrantWaiter? waiter = _waiters.PopFront();
        _lock.Exit();
        waiter?.Grant(next: true);
    }

    /// <summary>Makes all goroutines ready that wait. The caller may have the mutex, and need not.</summary>
    public void Broadcast()
    {
        _lock.Enter();
        WaiterQueue<GrantWaiter> waiters = _waiters.TakeAll(out _);
        _lock.Exit();
        GrantWaiter.GrantAll(ref waiters);
    }

    internal void Return(CondWaiter waiter) => Volatile.Write(ref _spare, waiter);

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        _lock.Enter();
        bool withdrawn = _waiters.TryRemove(waiter);
        _lock.Exit();
        return withdrawn;
    }
}
