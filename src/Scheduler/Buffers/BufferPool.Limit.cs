namespace NetGo;

// The limit on what the pool has from the system. Slabs and large buffers are counted when they are taken and when they are given
// back, by compare-and-swap, so the limit is never exceeded. There are two: who wants to read something new is refused before
// who is to answer what has been read. What is taken beyond the first is kept apart, as the reserve: a node of its own, from which
// TryRent takes nothing, however much of it is free.
//
// At the limit RentAsync waits. Who waits and who returns find each other so:
//
//   RentAsync                                  who returns
//   1  is put on the queue, _waiting++         1  puts buffers on a central list, or uncounts memory
//   2  tries to rent once more                 2  a full fence
//   3  waits                                   3  _waiting is not 0: grants as many of those who wait for this class; all,
//                                                 when there is memory for any class
//
// A granted one tries again, and may have to wait again: nothing is reserved for it. What is returned to a processor's cache is
// seen by nobody else. So the caches are left alone, by Return as by Rent, while somebody waits, and who begins to wait asks all processors to
// empty theirs, also those that seem to have nothing: one may have returned a buffer just before it could see _waiting. It sees
// that it is asked before it goes to sleep (Machine.FindRunnable.cs, SleepInPoller), and after that it sees _waiting.
public sealed partial class BufferPool : IWaiterOwner
{
    /// <summary>Of what nobody may wait for: the reserve.</summary>
    internal const int NoClass = -2;

    private const int AnyClass = -1;

    private readonly long _maxBytes;
    private readonly long _maxBytesForReading;
    private readonly Lock _waitLock = new();
    private WaiterQueue<GrantWaiter> _waiters;
    private int _waiting;
    private int _releasing;
    private long _committed;
    private long _largeBytes;

    /// <summary>What the pool has from the system, in bytes.</summary>
    internal long CommittedBytes => Volatile.Read(ref _committed);

    /// <summary>Counts memory that is about to be taken from the system. False when that is more than there may be.</summary>
    internal bool TryCommit(long bytes, bool mayUseReserve)
    {
        long limit = mayUseReserve ? _maxBytes : _maxBytesForReading;
        long old = Volatile.Read(ref _committed);
        while (bytes <= limit - old)
        {
            long seen = Interlocked.CompareExchange(ref _committed, old + bytes, old);
            if (seen == old)
                return true;
            old = seen;
        }
        return false;
    }

    internal void Uncommit(long bytes) => Interlocked.Add(ref _committed, -bytes);

    // At the limit, before somebody is refused: slabs that nobody uses may be of another class, or another node. Those that another
    // thread is about to give back are on no list any more, and still counted.
    private void Reclaim()
    {
        foreach (CentralList list in _central)
            list.ReleaseIdle(long.MaxValue);
        var spin = new SpinWait();
        while (Volatile.Read(ref _releasing) != 0)
            spin.SpinOnce();
    }

    internal void BeginReleasing() => Interlocked.Increment(ref _releasing);

    internal void EndReleasing() => Interlocked.Decrement(ref _releasing);

    /// <summary>As <see cref="TryRent"/>; waits when only the reserve is left, in turn with others.</summary>
    /// <param name="minimum">How many bytes are needed.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is rented then.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimum"/> is negative.</exception>
    /// <exception cref="InsufficientMemoryException">It is more than the pool may ever have.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed, before the call or during the wait.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before there was memory.</exception>
    public ValueTask<NetBuffer> RentAsync(int minimum, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<NetBuffer>(cancellationToken);
        return TryRent(minimum) is { } buffer ? new ValueTask<NetBuffer>(buffer) : WaitAsync(minimum, cancellationToken);
    }

    private async ValueTask<NetBuffer> WaitAsync(int minimum, CancellationToken cancellationToken)
    {
        int sizeClass = ClassFor(minimum);
        if (sizeClass == ClassCount && !(MappedSize(minimum) is { } size && size <= _maxBytesForReading))
            throw new InsufficientMemoryException($"A buffer of {minimum} bytes is more than the pool may have for it, {_maxBytesForReading} bytes.");
        for (bool again = false; ; again = true)
        {
            GrantWaiter waiter = GrantWaiter.Rent(this, WaitReason.Buffer);
            waiter.Units = sizeClass;
            lock (_waitLock)
            {
                if (again)
                    _waiters.PushFront(waiter); // it keeps its turn
                else
                    _waiters.PushBack(waiter);
                Interlocked.Increment(ref _waiting);
            }
            NetBuffer? buffer;
            try
            {
                AskForFlush(evenIfEmpty: true);
                buffer = TryRent(minimum);
            }
            catch
            {
                await WithdrawAsync(waiter, sizeClass);
                throw;
            }
            if (buffer is null)
            {
                await waiter.WaitAsync(cancellationToken);
                buffer = TryRent(minimum);
            }
            else
            {
                await WithdrawAsync(waiter, sizeClass);
            }
            if (buffer is not null)
                return buffer;
        }
    }

    private ValueTask WithdrawAsync(GrantWaiter waiter, int sizeClass)
    {
        if (((IWaiterOwner)this).TryWithdraw(waiter))
            waiter.Grant(next: false);
        else
            Grant(sizeClass, 1); // it has been granted as well, and that is another's turn
        return waiter.WaitAsync(default);
    }

    /// <summary>Buffers of a class are on a central list again.</summary>
    internal void BuffersCameBack(int sizeClass, int count)
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waiting) != 0)
            Grant(sizeClass, count);
        ScheduleScavenging();
    }

    /// <summary>There may be memory for any class again: a slab is idle, or memory was uncounted.</summary>
    internal void MemoryCameBack()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waiting) != 0)
            Grant(AnyClass, int.MaxValue);
    }

    private void Grant(int sizeClass, int count)
    {
        WaiterQueue<GrantWaiter> granted = default;
        lock (_waitLock)
        {
            for (GrantWaiter? waiter = _waiters.First; waiter is not null && count > 0;)
            {
                var next = (GrantWaiter?)waiter.Next;
                if (sizeClass == AnyClass || waiter.Units == sizeClass)
                {
                    _ = _waiters.TryRemove(waiter);
                    Interlocked.Decrement(ref _waiting);
                    granted.Append(waiter);
                    count--;
                }
                waiter = next;
            }
        }
        GrantWaiter.GrantAll(ref granted);
    }

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        lock (_waitLock)
        {
            if (!_waiters.TryRemove(waiter))
                return false;
            Interlocked.Decrement(ref _waiting);
            return true;
        }
    }

    // What the caches have is wanted back. False when they have nothing.
    private bool AskForFlush(bool evenIfEmpty = false)
    {
        bool any = false;
        lock (_caches)
        {
            foreach (BufferCache cache in _caches)
                any |= cache.AskForFlush(evenIfEmpty);
        }
        return any;
    }
}
