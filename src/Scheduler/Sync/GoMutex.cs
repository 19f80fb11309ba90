using System.Runtime.CompilerServices;

namespace NetGo;

// A mutex; Go's sync.Mutex in its normal mode. The state's bits:
//
//   Locked       someone has it
//   HasWaiters   the queue is not empty; changes under _queueLock only
//   Woken        one waiter has been taken from the queue and made ready to compete: no unlock need wake another
//
// An unlock gives the mutex to nobody: whoever is running may take it before the waiter that was woken (barging), which then
// goes back to the head of the queue. That keeps a busy mutex busy: handing it to a goroutine that has yet to be scheduled
// would leave it idle for that long at every unlock.

/// <summary>Mutual exclusion between goroutines; Go's sync.Mutex. Waiting holds no thread. Not reentrant, and owned by nobody:
/// one goroutine may lock and another unlock. All members may be used from any thread.</summary>
public sealed class GoMutex
{
    private const int Locked = 1;
    private const int HasWaiters = 2;
    private const int Woken = 4;

    private int _state;
    private SpinMutex _queueLock;
    private MutexWaiter? _head;
    private MutexWaiter? _tail;

    /// <summary>Locks it, waiting until it can. The result is to be awaited at once: the wait begins with the await.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ValueTask LockAsync() =>
        Interlocked.CompareExchange(ref _state, Locked, 0) == 0 ? default : LockSlow();

    /// <summary>Locks it if that needs no wait.</summary>
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

    private ValueTask LockSlow()
    {
        if (TryTake(ofWoken: false))
            return default;
        MutexWaiter waiter = MutexWaiter.Rent(this);
        return new ValueTask(waiter, waiter.Token);
    }

    private void UnlockSlow()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if ((state & Locked) == 0)
                throw new SynchronizationLockException("The mutex is not locked: every Unlock needs a LockAsync or TryLock before it.");
            if ((state & (HasWaiters | Woken)) == HasWaiters)
            {
                WakeOneAndUnlock();
                return;
            }
            if (Interlocked.CompareExchange(ref _state, state & ~Locked, state) == state)
                return;
        }
    }

    // The mutex stays locked until the waiter is off the queue, so only one thread can be here.
    private void WakeOneAndUnlock()
    {
        _queueLock.Enter();
        if (_head is not { } waiter)
        {
            _queueLock.Exit();
            throw new SynchronizationLockException("The mutex was unlocked by two at the same time, but locked once.");
        }
        _head = waiter.Next;
        waiter.Next = null;
        if (_head is null)
            _tail = null;
        int state;
        int next;
        do
        {
            state = Volatile.Read(ref _state);
            next = (state & ~(Locked | HasWaiters)) | Woken | (_head is null ? 0 : HasWaiters);
        }
        while (Interlocked.CompareExchange(ref _state, next, state) != state);
        _queueLock.Exit();
        Goroutine g = waiter.Parked!;
        g.Scheduler.Ready(g, next: true);
    }

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

    /// <summary>Puts a waiter that has parked on the queue; one that was woken before at its head. True when the mutex was free
    /// at last and is the waiter's instead: it is not on the queue then.</summary>
    internal bool TakeOrEnqueue(MutexWaiter waiter, bool ofWoken)
    {
        _queueLock.Enter();
        int state;
        bool taken;
        while (true)
        {
            state = Volatile.Read(ref _state);
            taken = (state & Locked) == 0;
            int next = (ofWoken ? state & ~Woken : state) | (taken ? Locked : HasWaiters);
            if (Interlocked.CompareExchange(ref _state, next, state) == state)
                break;
        }
        if (!taken)
            Push(waiter, atHead: ofWoken);
        _queueLock.Exit();
        return taken;
    }

    private void Push(MutexWaiter waiter, bool atHead)
    {
        if (atHead)
        {
            waiter.Next = _head;
            _head = waiter;
            _tail ??= waiter;
            return;
        }
        waiter.Next = null;
        if (_tail is null)
            _head = waiter;
        else
            _tail.Next = waiter;
        _tail = waiter;
    }
}
