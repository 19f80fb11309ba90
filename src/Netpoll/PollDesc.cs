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
//   null    Ready   an event (EventCame, Signal)
//   null    Wait    WaitAsync
//   Wait    g       OnCompleted, having parked g             g belongs to whoever takes it from here
//   Wait    Ready   an event                                 nobody is made runnable: OnCompleted fails to put g there, and g
//   Wait    null    deadline, close, cancel (Unblock)        runs on at once. Asked before that, GetStatus says that it is over
//   g       Ready   an event                                 makes g runnable
//   g       null    deadline, close, cancel                  makes g runnable
//   Wait    null    TakeResult, when what ended the wait     GetStatus, or OnCompleted, which then makes g runnable
//                   was written before Wait was              itself, has found it by Check
//   Ready   null    WaitAsync, TryConsumeReady, TakeResult   consumed
//   g       null    TakeResult of another                    makes g runnable
//   any     null    Open                                     nobody knows it yet
//
//   null and Ready stay what they are when a deadline passes, and at close and cancel; Ready at another event; null when
//   TakeResult finds that something else than an event has ended the wait; Wait and g when another would wait (it throws).
//
// All but Open's by compare-and-swap or exchange, which are full fences. Who closes, sets a deadline in the past or cancels first
// writes that down and then, behind a fence, looks whom to wake; who waits first sets Wait and then looks at what was written. So
// one sees the other. Likewise who consumes an event does so before its system call, and an event that finds Ready is dropped
// because the system call that finds what it tells of is still to come.
//
// There is one Wait for all, so when a second one waits in a direction, against the rules, it may set its own just after the first's
// has been taken away and before the first parks, and the first then parks on it. The second's CAS to its g fails, or it does not get
// that far; its TakeResult finds the first, and lets it see for itself. Mostly it finds the first's Wait or g, and throws.
//
// TakeResult has Closing before Timeout before Cancelled, whatever has ended the wait: the first two are states, which stay. Only an
// event beats a cancellation. A deadline that was moved just when it had ended a wait leaves Ready with no event: as after any
// Ready, the system call may find nothing.
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
//   a deadline     to            by
//   any            a time, none  SetDeadline, which starts the timer when that stands later, or not at all
//   any            -1 (passed)   Expire
//   a time         -1            Fire, if it is still that one (compare-and-swap)
//
//   the timer      to            by, under the monitor
//   any            a time        StartTimer, if that is earlier
//   taken off      a time, off   Fire: the earlier of the deadlines that are left, if any
//   any            off           Retire
//
// Taken off the heap, and about to fire, it may meanwhile be stopped, or started again, even for the next user of the PollDesc. A
// Fire that comes then does nothing when it is on the heap again, or closed; else it does what the time demands, as any may.
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
    private static readonly Action<object?> s_set = static woken => ((ManualResetEventSlim)woken!).Set();

    private object? _rg;
    private object? _wg;
    private long _readDeadline = NoDeadline;
    private long _writeDeadline = NoDeadline;
    private long _timerWhen = NoDeadline;
    private bool _closing;
    private bool _readCancelled;
    private bool _writeCancelled;
    private volatile bool _peerClosed;
    private IThreadPoolWorkItem? _peerWatcher; // whoever takes it out queues it

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
        _peerWatcher = null;
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
        Volatile.Write(ref _peerWatcher, null);
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
                return new ValueTask<PollResult>(WithEvent(Check(mode)));
        }
    }

    // An event that is consumed comes to nobody else: with one the system call is worth a try. Should it find nothing, the next wait ends at once as
    // cancelled.
    private static PollResult WithEvent(PollResult result) => result == PollResult.Cancelled ? PollResult.Ready : result;

    /// <summary>Parks the running goroutine in a direction in which <see cref="WaitAsync"/> has returned pending.</summary>
    internal void ParkCurrent(
        PollMode mode, Action<object?> continuation, object? argument, ValueTaskSourceOnCompletedFlags flags = ValueTaskSourceOnCompletedFlags.UseSchedulingContext)
    {
        Publish(mode, Goroutine.Park(continuation, argument, WaitReason.IOWait, flags));
    }

    /// <summary>As <see cref="ParkCurrent"/>; the continuation is called on the scheduler, wherever the caller is.</summary>
    internal void ParkOnScheduler(PollMode mode, Action<object?> continuation, object? argument) =>
        Publish(mode, Goroutine.ParkOn(Scheduler, continuation, argument, WaitReason.IOWait));

    /// <summary>As <see cref="ParkCurrent"/>, for a thread that will block until <paramref name="woken"/> is set; then
    /// <see cref="TakeResult"/> is due.</summary>
    internal void ParkThread(PollMode mode, ManualResetEventSlim woken) =>
        Publish(mode, Goroutine.ParkAnother(Scheduler, s_set, woken, WaitReason.IOWait));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Publish(PollMode mode, Goroutine g)
    {
        // Close, deadlines and cancellation that were written before we set Wait have found nobody to wake: look now.
        if (Check(mode) != PollResult.Ready || Interlocked.CompareExchange(ref Semaphore(mode), g, s_wait) != s_wait)
            g.Scheduler.Ready(g, next: true);
    }

    /// <summary>How the wait ended, for the goroutine that was woken; consumes the event.</summary>
    public PollResult TakeResult(PollMode mode)
    {
        object? old = Interlocked.Exchange(ref Semaphore(mode), null);
        if (old != s_ready && old is Goroutine other)
            other.Scheduler.Ready(other, next: false); // it has parked on our Wait
        PollResult result = Check(mode);
        if (result != PollResult.Cancelled)
            return result;
        if (old == s_ready)
            return WithEvent(result);
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
        if (Volatile.Read(ref _closing))
            return PollResult.Closing;
        if (Volatile.Read(ref Deadline(mode)) < 0)
            return PollResult.Timeout;
        return Volatile.Read(ref Cancelled(mode)) ? PollResult.Cancelled : PollResult.Ready;
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

    /// <summary>As <see cref="EventCame"/>, of what is no descriptor of the system: wakes the goroutine itself. Any thread.</summary>
    internal void Signal(PollMode mode)
    {
        if (Unblock(ref Semaphore(mode), ready: true) is { } g)
            g.Scheduler.Ready(g, next: false);
    }

    internal void PeerHasClosed()
    {
        _peerClosed = true;
        QueueWatcher();
    }

    /// <summary>Has a work item queued once the peer is seen to have closed, at once if it is seen already; null takes it back. It runs on
    /// the thread pool: the poller's thread has others to serve.</summary>
    public void WatchPeer(IThreadPoolWorkItem? watcher)
    {
        Volatile.Write(ref _peerWatcher, watcher);
        if (watcher is not null)
            QueueWatcher();
    }

    // Who closes writes _peerClosed and then looks for a watcher; who watches writes that and then looks at _peerClosed.
    private void QueueWatcher()
    {
        Interlocked.MemoryBarrier();
        if (_peerClosed && Volatile.Read(ref _peerWatcher) is not null && Interlocked.Exchange(ref _peerWatcher, null) is { } watcher)
            ThreadPool.UnsafeQueueUserWorkItem(watcher, preferLocal: false);
    }

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
        Volatile.Write(ref _closing, true);
        UnblockAndReady(PollMode.Read);
        UnblockAndReady(PollMode.Write);
    }

    /// <summary>Ends the present wait in a direction with <see cref="PollResult.Cancelled"/>, if there is one.</summary>
    public void Cancel(PollMode mode)
    {
        Volatile.Write(ref Cancelled(mode), true);
        UnblockAndReady(mode);
    }

    /// <summary>Has a token end the present wait in a direction, until the registration is disposed of; then
    /// <see cref="EndCancellable"/> says how the wait has ended.</summary>
    public CancellationTokenRegistration CancelOn(PollMode mode, CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(mode == PollMode.Read ? s_cancelRead : s_cancelWrite, this);

    public PollResult EndCancellable(PollMode mode, PollResult result, CancellationToken cancellationToken)
    {
        ClearCancelled(mode);
        return cancellationToken.IsCancellationRequested && result == PollResult.Ready ? PollResult.Cancelled : result;
    }

    private static readonly Action<object?> s_cancelRead = static desc => ((PollDesc)desc!).Cancel(PollMode.Read);
    private static readonly Action<object?> s_cancelWrite = static desc => ((PollDesc)desc!).Cancel(PollMode.Write);

    public void ClearCancelled(PollMode mode) => Volatile.Write(ref Cancelled(mode), false);

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
            if (when >= _timerWhen || Volatile.Read(ref _closing))
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
            if (Volatile.Read(ref _closing) || HeapIndex >= 0)
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

    private ref bool Cancelled(PollMode mode) => ref mode == PollMode.Read ? ref _readCancelled : ref _writeCancelled;

    private ref long Deadline(PollMode mode) => ref mode == PollMode.Read ? ref _readDeadline : ref _writeDeadline;
}
