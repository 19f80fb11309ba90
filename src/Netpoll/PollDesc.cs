using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace NetGo.Netpoll;

// What the poller knows of a descriptor; Go's pollDesc.
//
// For each direction there is a binary semaphore, rg or wg, on which at most one goroutine parks:
//
//   null    nothing is pending, nobody waits
//   Ready   an event has come and has not been consumed; the next wait returns at once
//   Wait    somebody has begun to wait and has not parked yet
//   a g     that goroutine is parked
//
//   from    to      by                                       then
//   null    Ready   an event (Unblock, ready)
//   null    Wait    WaitAsync
//   Wait    g       OnCompleted, having parked g             g belongs to whoever takes it from here
//   Wait    Ready   an event                                 OnCompleted fails to put g there: it runs on at once
//   Wait    null    deadline, close, cancel (Unblock)        likewise
//   g       Ready   an event                                 makes g runnable
//   g       null    deadline, close, cancel                  makes g runnable
//   Ready   null    WaitAsync, or TakeResult of the woken    consumed
//
// All by compare-and-swap or exchange, which are full fences. Who closes, sets a deadline in the past or cancels first writes
// that down and then calls Unblock; who waits first sets Wait and then looks at what was written. So one sees the other.
//
// A descriptor number may be used again while an event of its former user is still in some thread's hands. The event carries
// Sequence, which changes when the PollDesc is retired, and PollDescs are never given to the garbage collector: so a late event finds
// one, and sees that it is not meant. One that has seen that it is meant, and then comes too late, finds a PollDesc that nobody
// uses: it has a next user only when no such event is under way any more (PollDescLimbo.cs).
//
// Deadlines: one timer serves both directions, and moving a deadline later, as a busy keep-alive connection does for every
// request, only writes _readDeadline. The timer fires at the old time, sees that it is early, and is started again. The field
// is written by an exchange and then _timerWhen is read; Fire writes _timerWhen, by an exchange, and then reads the field.
//
// The object's own monitor guards the timer, and for NetConnection the registration: a lock object would cost every idle
// connection 40 bytes.
internal sealed class PollDesc : RuntimeTimer, IValueTaskSource<PollResult>
{
    /// <summary>Never the sequence of a PollDesc: pollers use it to mark what is not one.</summary>
    public const uint ReservedSequence = uint.MaxValue;

    private const long NoDeadline = long.MaxValue;

    private static readonly object s_ready = new();
    private static readonly object s_wait = new();

    private object? _rg;
    private object? _wg;
    private long _readDeadline = NoDeadline;
    private long _writeDeadline = NoDeadline;
    private long _timerWhen = NoDeadline;
    private volatile bool _closing;
    private volatile bool _readCancelled;
    private volatile bool _writeCancelled;
    private volatile bool _peerClosed;

    internal PollDesc(uint index) => Index = index;

    /// <summary>Its place in <see cref="PollDescTable"/>.</summary>
    public uint Index { get; }

    /// <summary>Which user of this place it is; part of the event's data.</summary>
    public uint Sequence { get; private set; }

    public GoScheduler Scheduler { get; private set; } = null!;

    /// <summary>The next free one, or the next in limbo.</summary>
    internal PollDesc? FreeLink;

    /// <summary>What the poller keeps with it; 0 when it is opened.</summary>
    internal nint PollerData;

    /// <summary>An event has said that the peer will send no more, or that the connection has failed: reading never
    /// blocks again, and an end that came together with the last bytes has had its only event.</summary>
    public bool PeerClosed => _peerClosed;

    internal void Open(GoScheduler scheduler)
    {
        Scheduler = scheduler;
        _rg = null;
        _wg = null;
        _readDeadline = NoDeadline;
        _writeDeadline = NoDeadline;
        _closing = false;
        _readCancelled = false;
        _writeCancelled = false;
        _peerClosed = false;
    }

    /// <summary>The last user is gone: stale events and timers find nothing.</summary>
    internal void Retire()
    {
        Sequence = (Sequence + 1) % ReservedSequence;
        lock (this)
        {
            _closing = true;
            Heap?.Stop(this);
            _timerWhen = NoDeadline;
        }
    }

    // ---- Waiting ----

    /// <summary>Waits for an event in a direction, or for close, deadline or cancellation. Consumes an event that has come
    /// already. Go's runtime_pollWait. After <see cref="PollResult.Ready"/> the caller tries its system call, which may
    /// still find nothing.</summary>
    /// <exception cref="InvalidOperationException">Another goroutine waits in this direction.</exception>
    public ValueTask<PollResult> WaitAsync(PollMode mode)
    {
        ref object? semaphore = ref Semaphore(mode);
        while (true)
        {
            object? old = Interlocked.CompareExchange(ref semaphore, s_wait, null);
            if (old is null)
                return new ValueTask<PollResult>(this, (short)mode);
            if (old != s_ready)
                throw new InvalidOperationException($"Another goroutine waits to {(mode == PollMode.Read ? "read from" : "write to")} this descriptor.");
            if (Interlocked.CompareExchange(ref semaphore, null, s_ready) == s_ready)
                return new ValueTask<PollResult>(Check(mode));
        }
    }

    /// <summary>Parks the running goroutine in a direction in which <see cref="WaitAsync"/> has returned pending.</summary>
    internal void ParkCurrent(
        PollMode mode, Action<object?> continuation, object? argument, ValueTaskSourceOnCompletedFlags flags = ValueTaskSourceOnCompletedFlags.UseSchedulingContext)
    {
        Goroutine g = Goroutine.Park(continuation, argument, WaitReason.IOWait, flags);
        // Close, deadlines and cancellation that were written before we set Wait have found nobody to wake: look now.
        if (Check(mode) != PollResult.Ready || Interlocked.CompareExchange(ref Semaphore(mode), g, s_wait) != s_wait)
            g.Scheduler.Ready(g, next: true);
    }

    /// <summary>How the wait ended, for the goroutine that was woken; consumes the event.</summary>
    public PollResult TakeResult(PollMode mode)
    {
        object? old = Interlocked.Exchange(ref Semaphore(mode), null);
        PollResult result = Check(mode);
        if (result != PollResult.Cancelled)
            return result;
        // With an event the system call is worth a try; should it find nothing, the next wait ends at once as cancelled.
        if (old == s_ready)
            return PollResult.Ready;
        ClearCancelled(mode);
        return result;
    }

    /// <summary>An event has come and has not been consumed: the next wait will not wait.</summary>
    public bool HasEvent(PollMode mode) => Volatile.Read(ref Semaphore(mode)) == s_ready;

    /// <summary>Consumes an event that has come; false when none has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryConsumeReady(PollMode mode)
    {
        ref object? semaphore = ref Semaphore(mode);
        return Volatile.Read(ref semaphore) == s_ready && Interlocked.CompareExchange(ref semaphore, null, s_ready) == s_ready;
    }

    public PollResult Check(PollMode mode)
    {
        if (_closing)
            return PollResult.Closing;
        if (Volatile.Read(ref Deadline(mode)) < 0)
            return PollResult.Timeout;
        return (mode == PollMode.Read ? _readCancelled : _writeCancelled) ? PollResult.Cancelled : PollResult.Ready;
    }

    PollResult IValueTaskSource<PollResult>.GetResult(short token) => TakeResult((PollMode)token);

    ValueTaskSourceStatus IValueTaskSource<PollResult>.GetStatus(short token)
    {
        object? value = Volatile.Read(ref Semaphore((PollMode)token));
        return value == s_wait && Check((PollMode)token) == PollResult.Ready ? ValueTaskSourceStatus.Pending : ValueTaskSourceStatus.Succeeded;
    }

    void IValueTaskSource<PollResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        ParkCurrent((PollMode)token, continuation, state, flags);

    // ---- Waking ----

    /// <summary>The poller: an event has come. The goroutine that it wakes, marked runnable, goes to the caller.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EventCame(PollMode mode, ref GoroutineQueue ready)
    {
        ref object? semaphore = ref Semaphore(mode);
        if (Volatile.Read(ref semaphore) == s_ready)
            return;
        if (Unblock(ref semaphore, ready: true) is { } g)
        {
            g.MarkRunnable();
            ready.PushBack(g);
        }
    }

    internal void PeerHasClosed() => _peerClosed = true;

    private static Goroutine? Unblock(ref object? semaphore, bool ready)
    {
        object? value = ready ? s_ready : null;
        while (true)
        {
            object? old = Volatile.Read(ref semaphore);
            if (old == s_ready || (old is null && !ready))
                return null;
            if (Interlocked.CompareExchange(ref semaphore, value, old) == old)
                return old == s_wait ? null : Unsafe.As<Goroutine?>(old);
        }
    }

    private void UnblockAndReady(PollMode mode)
    {
        Interlocked.MemoryBarrier();
        if (Unblock(ref Semaphore(mode), ready: false) is { } g)
            g.Scheduler.Ready(g, next: false);
    }

    /// <summary>Ends all waits, now and later, with <see cref="PollResult.Closing"/>; Go's runtime_pollUnblock.</summary>
    public void Evict()
    {
        _closing = true;
        UnblockAndReady(PollMode.Read);
        UnblockAndReady(PollMode.Write);
    }

    /// <summary>Ends the present wait in a direction with <see cref="PollResult.Cancelled"/>, if there is one.</summary>
    public void Cancel(PollMode mode)
    {
        if (mode == PollMode.Read)
            _readCancelled = true;
        else
            _writeCancelled = true;
        UnblockAndReady(mode);
    }

    public void ClearCancelled(PollMode mode)
    {
        if (mode == PollMode.Read)
            _readCancelled = false;
        else
            _writeCancelled = false;
    }

    // ---- Deadlines ----

    /// <summary>Sets the time by which waits in a direction end with <see cref="PollResult.Timeout"/>. It stays passed until
    /// it is set again. Go's runtime_pollSetDeadline.</summary>
    /// <param name="mode">The direction.</param>
    /// <param name="when">Nanoseconds of the scheduler's clock; <see cref="long.MaxValue"/> for none.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetDeadline(PollMode mode, long when)
    {
        Interlocked.Exchange(ref Deadline(mode), when);
        if (when < Volatile.Read(ref _timerWhen))
            StartTimer(when);
    }

    /// <summary>Sets a deadline that has passed: waits end at once, now and later.</summary>
    public void Expire(PollMode mode)
    {
        Interlocked.Exchange(ref Deadline(mode), -1);
        UnblockAndReady(mode);
    }

    /// <summary>Whether the deadline has passed.</summary>
    public bool HasExpired(PollMode mode) => Volatile.Read(ref Deadline(mode)) < 0;

    private void StartTimer(long when)
    {
        lock (this)
        {
            if (when >= _timerWhen || _closing)
                return;
            Heap?.Stop(this);
            Interlocked.Exchange(ref _timerWhen, when);
            Scheduler.TimersForThisThread().Start(this, when);
        }
    }

    internal override void Fire(long now)
    {
        lock (this)
        {
            // Stopped, or stopped and started again, after it was taken off the heap to be fired.
            if (_closing || HeapIndex >= 0)
                return;
            Interlocked.Exchange(ref _timerWhen, NoDeadline);
            ExpireIfDue(PollMode.Read, now);
            ExpireIfDue(PollMode.Write, now);
            long next = Math.Min(Pending(PollMode.Read), Pending(PollMode.Write));
            if (next == NoDeadline)
                return;
            Interlocked.Exchange(ref _timerWhen, next);
            Scheduler.TimersForThisThread().Start(this, next);
        }
    }

    private void ExpireIfDue(PollMode mode, long now)
    {
        ref long deadline = ref Deadline(mode);
        long when = Volatile.Read(ref deadline);
        // -1 says that it has passed. A deadline set in the meantime is not overwritten.
        if (when >= 0 && when <= now && Interlocked.CompareExchange(ref deadline, -1, when) == when)
            UnblockAndReady(mode);
    }

    private long Pending(PollMode mode)
    {
        long when = Volatile.Read(ref Deadline(mode));
        return when < 0 ? NoDeadline : when;
    }

    private ref object? Semaphore(PollMode mode) => ref mode == PollMode.Read ? ref _rg : ref _wg;

    private ref long Deadline(PollMode mode) => ref mode == PollMode.Read ? ref _readDeadline : ref _writeDeadline;
}
