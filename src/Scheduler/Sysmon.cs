using System.Diagnostics;

namespace NetGo;

// The system monitor: a thread without a processor that looks at the others; Go's sysmon. What it does, and when:
//
// A look goes over all processors. One whose machine runs user code is taken at once when it is to go (GOMAXPROCS was lowered),
// and when the machine is in the same Go.Blocking as 20 us before. It is suspect when its schedule tick is the same as at the last
// look: the same goroutine has been running for that long. Then
//   - the machine's thread sleeps in the kernel (its CPU clock stands still, and the system says that it is not waiting for
//     a core): the code is blocked. The processor is taken at once and given to another machine, which serves its queue,
//     its timers and its poller.
//   - it has run for its time slice or more while work or a timer waits: taken likewise. .NET cannot interrupt managed code at any point as Go
//     can; instead the goroutine runs on without a processor until it next parks.
//   - else: its poller is looked into, and what is ready goes to the global queue, for others to run; and an idle processor
//     is woken to steal what waits on its queue.
// In each case what the code has deferred is done (Machine.Deferred.cs).
//
// How long it sleeps between two looks:
//   20 us    while a machine is in Go.Blocking; and doubling from here while nothing is suspect
//   100 us   at most, for 100 ms after a hand-off from a blocked machine: handlers of this program do block, and each
//            moment until they are found is one in which others wait
//   200 us   at most, for a second after it
//   500 us   at most, while a processor is suspect, or its machine has deferred something
//   1 ms     at most, for a minute after it, and while any processor is idle: it could take over what waits
//   10 ms    at most, while all are busy: each look costs one of them some 20 us
//   no end   all processors have been idle for 100 ms: it waits until one wakes
// So a machine that blocks loses its processor after two looks: within 0.2 ms where others have blocked just before, 2 ms where any
// has within a minute. For the first one in a minute the first look asks the system whether the thread is asleep, and if so, the
// second one is due in 0.5 ms, not in another 10.
internal sealed class Sysmon(GoScheduler scheduler)
{
    private const long Microsecond = 1_000;
    private const long Millisecond = 1_000_000;

    private const long MinDelay = 20 * Microsecond;
    private const long MaxDelayAfterHandOff = 100 * Microsecond;
    private const long MaxDelayLongAfterHandOff = 200 * Microsecond;
    private const long MaxDelaySuspect = 500 * Microsecond;
    private const long MaxDelayMinuteAfterHandOff = 1 * Millisecond;
    private const long MaxDelayWithIdle = 1 * Millisecond;
    private const long MaxDelayBusy = 10 * Millisecond;
    private const long JustAfterHandOff = 100 * Millisecond;
    private const long LongAfterHandOff = 1_000 * Millisecond;
    private const long MinuteAfterHandOff = 60_000 * Millisecond;
    private const long IdleBeforeSleep = 100 * Millisecond;

    private readonly long _timeSlice = GoScheduler.Nanoseconds(scheduler.Policy.TimeSlice);
    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);
    private int _asleep;
    private readonly long[] _handOffs = new long[(int)HandOffReason.Retiring + 1];
    private volatile bool _stopping;
    private long _lastBlocked = long.MinValue / 2;
    private bool _anySyscall;
    private Thread? _thread;

    public long HandOffCount => _handOffs.Sum();

    public long HandOffsFor(HandOffReason reason) => Volatile.Read(ref _handOffs[(int)reason]);

    private void Count(HandOffReason reason) => _handOffs[(int)reason]++;

    public void Start()
    {
        var thread = new Thread(Main) { IsBackground = true, Name = "netgo-sysmon" };
        thread.UnsafeStart();
        _thread = thread;
    }

    /// <summary>Returns when it looks at nothing any more.</summary>
    public void Stop()
    {
        _stopping = true;
        _wake.Set();
        if (_thread != Thread.CurrentThread)
            _thread?.Join();
    }

    /// <summary>A processor has become busy.</summary>
    public void WakeIfAsleep()
    {
        if (Volatile.Read(ref _asleep) != 0 && Interlocked.Exchange(ref _asleep, 0) != 0)
            _wake.Set();
    }

    private void Main()
    {
        long delay = MinDelay;
        long idleSince = -1;
        using var sleep = new PreciseSleep();
        while (!_stopping)
        {
            long now = MonotonicNow();
            bool suspect = Look(now);
            if (!scheduler.AllIdle)
            {
                idleSince = -1;
            }
            else if (idleSince < 0)
            {
                idleSince = now;
            }
            else if (now - idleSince > IdleBeforeSleep)
            {
                SleepUntilBusy();
                idleSince = -1;
                delay = MinDelay;
            }
            delay = _anySyscall ? MinDelay : Math.Min(delay * 2, MaxDelay(now - _lastBlocked, suspect));
            sleep.For(delay);
        }
    }

    // The system's monotonic clock, whatever clock the scheduler has.
    private static long MonotonicNow() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    private long MaxDelay(long sinceHandOff, bool suspect) => sinceHandOff switch
    {
        < JustAfterHandOff => MaxDelayAfterHandOff,
        < LongAfterHandOff => MaxDelayLongAfterHandOff,
        _ when suspect => MaxDelaySuspect,
        < MinuteAfterHandOff => MaxDelayMinuteAfterHandOff,
        _ => scheduler.AnyIdle ? MaxDelayWithIdle : MaxDelayBusy,
    };

    private void SleepUntilBusy()
    {
        _wake.Reset();
        Interlocked.Exchange(ref _asleep, 1);
        if (!scheduler.AllIdle || _stopping)
            Interlocked.Exchange(ref _asleep, 0);
        else
            _wake.Wait();
    }

    private bool Look(long now)
    {
        bool suspect = false;
        _anySyscall = false;
        foreach (Processor p in scheduler.AllProcessors)
        {
            Machine? machine = p.Machine;
            if (machine is null || machine.IsPinned)
                continue; // in the scheduler's own code, or asleep in its poller
            if (p.Phase == ProcessorPhase.Retiring)
                Retire(p, machine);
            else if (machine.IsInSyscall(out uint call))
                LookAtSyscall(p, machine, call, now);
            else
                suspect |= LookAtRunning(p, machine, now);
        }
        return suspect;
    }

    private void LookAtSyscall(Processor p, Machine machine, uint call, long now)
    {
        ref Processor.SysmonView seen = ref p.Seen;
        if (machine != seen.Machine || !seen.InSyscall || call != seen.Tick)
            seen = new Processor.SysmonView { Tick = call, Machine = machine, Since = now, InSyscall = true };
        else if (now - seen.Since >= MinDelay)
            HandOff(p, machine, HandOffReason.Syscall, now);
        _anySyscall = true;
    }

    private bool LookAtRunning(Processor p, Machine machine, long now)
    {
        ref Processor.SysmonView seen = ref p.Seen;
        uint tick = (uint)Volatile.Read(ref p.Counts.Runs);
        long cpuTime = machine.Clock.CpuTime();
        if (tick != seen.Tick || machine != seen.Machine || seen.InSyscall)
        {
            seen = new Processor.SysmonView { Tick = tick, Machine = machine, Since = now, CpuTime = cpuTime };
            return machine.HasDeferred || (now - _lastBlocked >= MinuteAfterHandOff && machine.Clock.IsAsleep());
        }
        bool blocked = cpuTime == seen.CpuTime && machine.Clock.IsAsleep();
        seen.CpuTime = cpuTime;
        LookAtSuspect(p, machine, now - seen.Since, blocked, now);
        return true;
    }

    private bool SomethingWaitsFor(Processor p) =>
        p.HasLocalWork || scheduler.HasGlobalWork || p.HasPollerToAdopt || p.Timers.NextWhen <= scheduler.Now();

    private void LookAtSuspect(Processor p, Machine machine, long runsFor, bool blocked, long now)
    {
        machine.RunDeferred();
        // Only for somebody who could run it at once, or to know that something waits: from the global queue it may come back late.
        if (!blocked && (scheduler.AnyIdle || !SomethingWaitsFor(p)))
            LookIntoPoller(p);
        if (p.HasLocalWork)
            scheduler.WakeOne();
        if (blocked)
            HandOff(p, machine, HandOffReason.Blocked, now);
        else if (runsFor >= _timeSlice && SomethingWaitsFor(p))
            HandOff(p, machine, HandOffReason.TimeSlice, now);
    }

    // Needs no other machine, unless it turns out that the processor stays.
    private void Retire(Processor p, Machine machine)
    {
        if (!machine.TryTakeProcessor(p))
            return;
        p.Seen = default;
        Count(HandOffReason.Retiring);
        scheduler.Observer?.HandedOff(p, machine, HandOffReason.Retiring);
        machine.RunDeferred();
        if (scheduler.TryDismantle(p))
            return;
        Machine? next;
        while ((next = scheduler.ReserveMachine()) is null)
        {
            if (_stopping)
                return;
            scheduler.ReportMachineLimit();
            Thread.Sleep(1);
        }
        GoScheduler.GiveToMachine(p, next);
    }

    // What is ready goes to the global queue, for others to run.
    private static void LookIntoPoller(Processor p)
    {
        if (!p.Poller.HasRegistrations)
            return;
        GoroutineQueue ready = default;
        p.Poller.Poll(0, ref ready);
        while (ready.PopFront() is { } g)
            g.Scheduler.Enqueue(g, next: false);
    }

    private void HandOff(Processor p, Machine machine, HandOffReason reason, long now)
    {
        // Whoever is to have it is found first: a processor without a machine would be lost.
        if (scheduler.ReserveMachine() is not { } next)
        {
            if (reason != HandOffReason.TimeSlice) // that one comes back by itself
                scheduler.ReportMachineLimit();
            LookIntoPoller(p);
            return;
        }
        scheduler.MachineLimitNotReached();
        if (!machine.TryTakeProcessor(p))
        {
            scheduler.Unreserve(next);
            return;
        }
        Count(reason);
        if (reason == HandOffReason.Blocked)
            _lastBlocked = now;
        p.Seen = default;
        scheduler.Observer?.HandedOff(p, machine, reason);
        GoScheduler.GiveToMachine(p, next);
        machine.RunDeferred();
    }
}
