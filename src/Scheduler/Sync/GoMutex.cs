using System.Runtime.CompilerServices;

namespace NetGo;

// A mutex; Go's sync.Mutex with both of its modes. The state's bits:
//
//   Locked       someone has it
//   HasWaiters   the queue is not empty; changes under _queueLock only
//   Woken        one waiter has been taken from the queue and made ready to compete: no unlock need wake another
//   Starving     starvation mode; only together with Locked and HasWaiters, and never with Woken
//
//   from                   to                        by
//   0                      Locked                    LockAsync, TryLock
//   HasWaiters and/or      the same with Locked      LockAsync, TryLock: barging. The woken waiter clears Woken as it does
//     Woken
//   Locked ...             + HasWaiters              a waiter that parks, under _queueLock. The woken one clears Woken, and
//                                                    sets Starving when it has waited too long
//   Locked                 0                         Unlock
//   Locked Woken ...       Woken ...                 Unlock: a waiter is on its way
//   Locked HasWaiters      Woken ...                 Unlock, under _queueLock: the first waiter is made ready to compete
//   Locked HasW. Starving  the same                  Unlock, under _queueLock: it is the first waiter's now. Without HasWaiters
//                                                    and Starving when that was the last
//   ... Starving           without Starving          the waiter that was given it and had not waited too long
//   HasWaiters ...         without HasW., Starving   a cancellation that takes the last waiter off the queue, under _queueLock
//
// In normal mode an unlock gives the mutex to nobody: whoever is running may take it before the waiter that was woken
// (barging), which then goes back to the head of the queue. That keeps a busy mutex busy: handing it to a goroutine that has
// yet to be scheduled would leave it idle for that long at every unlock. But it may keep a waiter waiting for ever. So one that
// has waited for more than a millisecond, and loses again, switches to starvation mode: as the mutex stays locked from hand to
// hand, nobody can barge, and newcomers queue at the tail.

/// <summary>Mutual exclusion between goroutines; Go's sync.Mutex. Waiting holds no thread. Not reentrant, and owned by nobody:
/// one goroutine may lock and another unlock. Whoever has waited for over a millisecond is served first come, first served; before
/// that, running goroutines go first. All members may be used from any thread.</summary>
public sealed class GoMutex
{
    private const int Locked = 1;
    private const int HasWaiters = 2;
    private const int Woken = 4;
    private const int Starving = 8;

    private int _state;
    private SpinMutex _queueLock;
    private WaiterQueue<MutexWaiter> _queue;

    /// <summary>Whether someone has it, at this moment.</summary>
    internal bool IsLocked => (Volatile.Read(ref _state) & Locked) != 0;

    /// <summary>Locks it, waiting until it can. The result is to be awaited at once, and once: the wait begins with the
    /// await.</summary>
    /// <param name="cancellationToken">Ends the wait; the mutex is not locked by it then.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before the mutex was locked.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ValueTask LockAsync(CancellationToken cancellationToken = default)
    {
        bool yields = Machine.SpendBudget();
        return !yields && !cancellationToken.CanBeCanceled && Interlocked.CompareExchange(ref _state, Locked, 0) == 0
            ? default
            : LockSlow(yields, cancellationToken);
    }

    /// <summary>Locks it like <see cref="LockAsync"/>, to be unlocked by the end of a using statement:
    /// <c>using (await mutex.LockScopeAsync())</c>.</summary>
    /// <param name="cancellationToken">Ends the wait; the mutex is not locked by it then.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before the mutex was locked.</exception>
    public ValueTask<Holder> LockScopeAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<Holder>(cancellationToken);
        if (RentUnlessTaken(Machine.SpendBudget(), cancellationToken) is { } waiter)
            return new ValueTask<Holder>(waiter, waiter.Token);
        return new ValueTask<Holder>(new Holder(this));
    }

    /// <summary>Locks it if that needs no wait. False while others starve for it.</summary>
    /// <returns>Whether it is locked now by this call.</returns>
    public bool TryLock() => Interlocked.CompareExchange(ref _state, Locked, 0) == 0 || TryTake(ofWoken: false);

    /// <summary>Unlocks it.</summary>
    /// <exception cref="SynchronizationLockException">It is not locked.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Unlock()
    {
        if (Interlocked.CompareExchange(ref _state, 0, Locked) != Locked)
            UnlockSlow();
    }

    private ValueTask LockSlow(bool yields, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        return RentUnlessTaken(yields, cancellationToken) is { } waiter ? new ValueTask(waiter, waiter.Token) : default;
    }

    // Who has to yield does so before it takes the mutex: with the mutex it would keep all others waiting.
    private MutexWaiter? RentUnlessTaken(bool yields, CancellationToken cancellationToken) =>
        !yields && TryTake(ofWoken: false) ? null : MutexWaiter.Rent(this, yields, cancellationToken);

    private void UnlockSlow()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if ((state & Locked) == 0)
                throw NotLocked();
            if ((state & (HasWaiters | Woken)) == HasWaiters)
            {
                UnlockWithWaiters();
                return;
            }
            if (Interlocked.CompareExchange(ref _state, state & ~Locked, state) == state)
                return;
        }
    }

    // The mutex stays locked until the waiter is off the queue, so only one thread can be here.
    private void UnlockWithWaiters()
    {
        _queueLock.Enter();
        MutexWaiter? waiter = _queue.PopFront(); // null when the last has been cancelled just now
        int left = _queue.IsEmpty ? 0 : HasWaiters;
        int state;
        int next;
        do
        {
            state = Volatile.Read(ref _state);
            if ((state & Locked) == 0)
                break;
            next = state & ~(Locked | HasWaiters | Starving);
            if ((state & Starving) != 0)
                next |= Locked | left | (left == 0 ? 0 : Starving);
            else if (waiter is not null)
                next |= Woken | left;
        }
        while (Interlocked.CompareExchange(ref _state, next, state) != state);
        _queueLock.Exit();
        if ((state & Locked) == 0)
            throw NotLocked();
        waiter?.Wake(handedOver: (state & Starving) != 0);
    }

    private static SynchronizationLockException NotLocked() =>
        new("The mutex is not locked: every Unlock needs a LockAsync or TryLock before it.");

    /// <summary>Takes it if it is free.</summary>
    /// <param name="ofWoken">Whether the caller is the waiter that the Woken bit stands for, which goes if it succeeds.</param>
    internal bool TryTake(bool ofWoken)
    {
        int state = Volatile.Read(ref _state);
        while ((state & Locked) == 0)
        {
            int next = (ofWoken ? state & ~Woken : state) | Locked;
            int seen = Interlocked.CompareExchange(ref _state, next, state);
            if (seen == state)
                return true;
            state = seen;
        }
        return false;
    }

    /// <summary>Puts a waiter that has parked on the queue; one that was woken before at its head. False when it is not on the
    /// queue: the mutex was free at last and is its own, or its wait has been cancelled, as <see cref="MutexWaiter.Outcome"/>
    /// says.</summary>
    /// <param name="waiter">Who waits.</param>
    /// <param name="ofWoken">Whether it is the one that the Woken bit stands for.</param>
    /// <param name="starving">Whether it has waited too long.</param>
    internal bool TryEnqueue(MutexWaiter waiter, bool ofWoken, bool starving)
    {
        _queueLock.Enter();
        int state;
        int next;
        do
        {
            state = Volatile.Read(ref _state);
            next = ofWoken ? state & ~Woken : state;
            if ((state & Locked) == 0)
            {
                waiter.Outcome = MutexOutcome.Locked;
                next |= Locked;
            }
            else if (waiter.CancellationRequested)
            {
                waiter.Outcome = MutexOutcome.Cancelled;
            }
            else
            {
                waiter.Outcome = MutexOutcome.None;
                next |= HasWaiters | (starving ? Starving : 0);
            }
        }
        while (Interlocked.CompareExchange(ref _state, next, state) != state);
        bool queued = waiter.Outcome == MutexOutcome.None;
        if (queued && ofWoken)
            _queue.PushFront(waiter);
        else if (queued)
            _queue.PushBack(waiter);
        _queueLock.Exit();
        return queued;
    }

    /// <summary>Withdraws a waiter. False when it is not on the queue: it has been woken, and will see the request when it
    /// would wait again.</summary>
    internal bool TryWithdraw(MutexWaiter waiter)
    {
        _queueLock.Enter();
        waiter.CancellationRequested = true;
        bool withdrawn = _queue.TryRemove(waiter);
        if (withdrawn && _queue.IsEmpty)
            Interlocked.And(ref _state, ~(HasWaiters | Starving));
        _queueLock.Exit();
        return withdrawn;
    }

    /// <summary>By the waiter that was handed the mutex, and has it.</summary>
    internal void EndStarvation() => Interlocked.And(ref _state, ~Starving);

    /// <summary>Someone's hold of a mutex; what <see cref="LockScopeAsync"/> returns. Not to be copied.</summary>
    public readonly struct Holder : IDisposable
    {
        private readonly GoMutex _mutex;

        internal Holder(GoMutex mutex) => _mutex = mutex;

        /// <summary>Unlocks it.</summary>
        /// <exception cref="SynchronizationLockException">It is not locked.</exception>
        public void Dispose() => _mutex.Unlock();
    }
}
