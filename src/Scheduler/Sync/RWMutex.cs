using System.Runtime.CompilerServices;

namespace NetGo;

// A reader/writer mutex; Go's sync.RWMutex. The state is the number of readers that have it, and two bits:
//
//   WriterBit    a writer has it; there are no readers then
//   QueuedBit    somebody waits: newcomers of both kinds go to the queues. Set and cleared under _lock only
//
// What needs no wait and finds nobody waiting is one compare-and-swap on the state:
//
//   from                   to                    by
//   n                      n + 1                 RLock, TryRLock
//   n, n + QueuedBit       n - 1 ...             RUnlock, n > 0. The last of them, with QueuedBit, goes on to Promote
//   0                      WriterBit             Lock, TryLock
//   WriterBit              0                     Unlock
//
// All else happens under _lock, and hands the mutex over: it is its new owners' before they run, so nobody can come between.
//
//   WriterBit + QueuedBit  n, or n + QueuedBit   Unlock: all n readers that wait; QueuedBit stays while a writer waits
//   WriterBit + QueuedBit  WriterBit ...         Unlock, when no reader waits: the first writer
//   QueuedBit              WriterBit ...         Promote: the first writer
//   n + QueuedBit          n + m                 a cancellation of the last writer that waited: the m readers behind it
//
// So readers wait only while a writer has it or waits, writers come in their order, and neither kind can starve the other: after a
// writer come all readers that waited for it to end, after these the next writer.

/// <summary>A lock that either one writer or any number of readers have; Go's sync.RWMutex. A writer that waits keeps new readers
/// out, and the readers that waited when a writer unlocks come before the next writer. Not reentrant, not even for readers: a
/// reader that read-locks once more waits for ever when a writer has come between. Owned by nobody: one goroutine may lock and
/// another unlock. A wait begins with the call, and its result is to be awaited once. All members may be used from any thread.
/// Waiting holds no thread.</summary>
public sealed class RWMutex : IWaiterOwner
{
    private const int WriterBit = 1 << 29;
    private const int QueuedBit = 1 << 30;
    private const int ReaderMask = WriterBit - 1;

    private int _state;
    private SpinMutex _lock;
    private WaiterQueue<GrantWaiter> _readers;
    private WaiterQueue<GrantWaiter> _writers;

    /// <summary>Locks it for reading, waiting while a writer has it or waits for it.</summary>
    /// <param name="cancellationToken">Ends the wait; the mutex is not locked by it then.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before it was locked.</exception>
    public ValueTask RLockAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        return TryRLock() || EnqueueReader() is not { } waiter ? Taken() : waiter.WaitAsync(cancellationToken);
    }

    /// <summary>Locks it for reading if that needs no wait.</summary>
    /// <returns>Whether it is locked for reading now by this call.</returns>
    public bool TryRLock()
    {
        int state = Volatile.Read(ref _state);
        while ((state & (WriterBit | QueuedBit)) == 0)
        {
            int seen = Interlocked.CompareExchange(ref _state, state + 1, state);
            if (seen == state)
                return true;
            state = seen;
        }
        return false;
    }

    /// <summary>Undoes one <see cref="RLockAsync"/> or <see cref="TryRLock"/>.</summary>
    /// <exception cref="SynchronizationLockException">It is not locked for reading.</exception>
    public void RUnlock()
    {
        int state = Volatile.Read(ref _state);
        while (true)
        {
            if ((state & ReaderMask) == 0)
                throw new SynchronizationLockException(
                    "The mutex is not locked for reading: every RUnlock needs an RLockAsync or TryRLock before it.");
            int seen = Interlocked.CompareExchange(ref _state, state - 1, state);
            if (seen == state)
                break;
            state = seen;
        }
        if (state - 1 == QueuedBit)
            Promote();
    }

    /// <summary>Locks it for writing, waiting until nobody else has it.</summary>
    /// <param name="cancellationToken">Ends the wait; the mutex is not locked by it then, and readers that waited for it to have
    /// its turn go on.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before it was locked.</exception>
    public ValueTask LockAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        return TryLock() || EnqueueWriter() is not { } waiter ? Taken() : waiter.WaitAsync(cancellationToken);
    }

    /// <summary>Locks it for writing if that needs no wait.</summary>
    /// <returns>Whether it is locked for writing now by this call.</returns>
    public bool TryLock() => Interlocked.CompareExchange(ref _state, WriterBit, 0) == 0;

    /// <summary>Undoes one <see cref="LockAsync"/> or <see cref="TryLock"/>.</summary>
    /// <exception cref="SynchronizationLockException">It is not locked for writing.</exception>
    public void Unlock()
    {
        if (Interlocked.CompareExchange(ref _state, 0, WriterBit) != WriterBit)
            UnlockSlow();
    }

    private static ValueTask Taken() => Machine.SpendBudget() ? Go.YieldAsync() : default;

    /// <summary>Null when it could be taken at last.</summary>
    private GrantWaiter? EnqueueReader()
    {
        GrantWaiter? waiter = null;
        _lock.Enter();
        while (true)
        {
            int state = Volatile.Read(ref _state);
            bool free = (state & (WriterBit | QueuedBit)) == 0;
            if (Interlocked.CompareExchange(ref _state, free ? state + 1 : state | QueuedBit, state) != state)
                continue;
            if (!free)
                _readers.PushBack(waiter = GrantWaiter.Rent(this, WaitReason.RWMutexRead));
            break;
        }
        _lock.Exit();
        return waiter;
    }

    /// <summary>Null when it could be taken at last.</summary>
    private GrantWaiter? EnqueueWriter()
    {
        GrantWaiter? waiter = null;
        _lock.Enter();
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if (Interlocked.CompareExchange(ref _state, state == 0 ? WriterBit : state | QueuedBit, state) != state)
                continue;
            if (state != 0)
                _writers.PushBack(waiter = GrantWaiter.Rent(this, WaitReason.RWMutexWrite));
            break;
        }
        _lock.Exit();
        return waiter;
    }

    private void UnlockSlow()
    {
        WaiterQueue<GrantWaiter> granted = default;
        _lock.Enter();
        bool locked = (Volatile.Read(ref _state) & WriterBit) != 0;
        if (locked && !_readers.IsEmpty)
            granted = GrantReadersLocked();
        else if (locked)
            granted = GrantWriterLocked();
        _lock.Exit();
        if (!locked)
            throw new SynchronizationLockException("The mutex is not locked for writing: every Unlock needs a LockAsync or TryLock before it.");
        GrantWaiter.GrantAll(ref granted);
    }

    /// <summary>The last reader has gone, and somebody waits. Before the lock was taken here that may have changed.</summary>
    private void Promote()
    {
        WaiterQueue<GrantWaiter> granted = default;
        _lock.Enter();
        if (Volatile.Read(ref _state) == QueuedBit)
            granted = GrantWriterLocked();
        _lock.Exit();
        GrantWaiter.GrantAll(ref granted);
    }

    // Nobody has it but the caller, who gives it up, and it is not taken by others: QueuedBit is set, unless all who waited have
    // been cancelled.
    private WaiterQueue<GrantWaiter> GrantWriterLocked()
    {
        WaiterQueue<GrantWaiter> granted = default;
        GrantWaiter? writer = _writers.PopFront();
        if (writer is not null)
            granted.Append(writer);
        Volatile.Write(ref _state, (writer is null ? 0 : WriterBit) | QueuedBitLocked);
        return granted;
    }

    // No writer has it but the caller, who gives it up. Readers may have it, and leave meanwhile.
    private WaiterQueue<GrantWaiter> GrantReadersLocked()
    {
        WaiterQueue<GrantWaiter> granted = _readers.TakeAll(out int count);
        int state;
        do
        {
            state = Volatile.Read(ref _state);
        }
        while (Interlocked.CompareExchange(ref _state, ((state & ReaderMask) + count) | QueuedBitLocked, state) != state);
        return granted;
    }

    private int QueuedBitLocked => _readers.IsEmpty && _writers.IsEmpty ? 0 : QueuedBit;

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        WaiterQueue<GrantWaiter> granted = default;
        _lock.Enter();
        bool withdrawn = waiter.Reason == WaitReason.RWMutexRead ? _readers.TryRemove(waiter) : _writers.TryRemove(waiter);
        if (withdrawn && _writers.IsEmpty)
        {
            if ((Volatile.Read(ref _state) & WriterBit) == 0)
                granted = GrantReadersLocked();
            else if (_readers.IsEmpty)
                Interlocked.And(ref _state, ~QueuedBit);
        }
        _lock.Exit();
        GrantWaiter.GrantAll(ref granted);
        return withdrawn;
    }
}
