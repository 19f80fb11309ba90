namespace NetGo;

// The system monitor: a thread without a processor that looks at the others; Go's sysmon. What it does, and when:
//
// A look goes over all processors. One is suspect when its machine runs user code and its schedule tick is the same as at
// the last look: the same goroutine has been running for that long. Then
//   - the machine's thread sleeps in the kernel (its CPU clock stands still, and the system says that it is not waiting for
//     a core): the code is blocked. The processor is taken at once and given to another machine, which serves its queue,
//     its timers and its poller.
//   - it has run for 10 ms or more while work or a timer waits: taken likewise. .NET cannot interrupt managed code at any point as Go
//     can; instead the goroutine runs on without a processor until it next parks.
//   - else: its poller is looked into, and what is ready goes to the global queue, for others to run; and an idle processor
//     is woken to steal what waits on its queue.
//
// How long it sleeps between two looks:
//   20 us    doubling from here while nothing is suspect
//   100 us   at most, for 100 ms after a hand-off from a blocked machine: handlers of this program do block, and each
//            moment until they are found is one in which others wait
//   200 us   at most, for a second after it
//   500 us   at most, while a processor is suspect
//   1 ms     at most, while any processor is busy
//   no end   all processors have been idle for 100 ms: it waits until one wakes
// A machine that blocks for the first time loses its processor within 2 ms, later ones within 0.2 ms: two looks.
internal sealed class Sysmon(GoScheduler scheduler)
{
    private const long Microsecond = 1_000;
    private const long Millisecond = 1_000_000;

    private const long MinDelay = 20 * Microsecond;
    private const long MaxDelayAfterHandOff = 100 * Microsecond;
    private const long MaxDelayLongAfterHandOff = 200 * Microsecond;
    private const long MaxDelaySuspect = 500 * Microsecond;
    private const long MaxDelayBusy = 1 * Millisecond;
    private const long JustAfterHandOff = 100 * Millisecond;
    private const long LongAfterHandOff = 1_000 * Millisecond;
    private const long IdleBeforeSleep = 100 * Millisecond;

    /// <summary>How long a goroutine may run while others wait for its processor; Go's forcePreemptNS.</summary>
    private const long TimeSlice = 10 * Millisecond;

    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);
    private int _asleep;
    private long _handOffs;
    private volatile bool _stopping;
    private long _lastBlocked = long.MinValue / 2;

    public long HandOffCount => Volatile.Read(ref _handOffs);

    public void Start() => new Thread(Main) { IsBackground = true, Name = "netgo-sysmon" }.UnsafeStart();

    public void Stop()
    {
        _stopping = true;
        _wake.Set();
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
        ThreadClock.SleepPrecisely();
        while (!_stopping)
        {
            long now = ThreadClock.MonotonicNow();
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
            delay = Math.Min(delay * 2, MaxDelay(now - _lastBlocked, suspect));
            ThreadClock.Sleep(delay);
        }
    }

    private static long MaxDelay(long sinceHandOff, bool suspect) => sinceHandOff switch
    {
        < JustAfterHandOff => MaxDelayAfterHandOff,
        < LongAfterHandOff => MaxDelayLongAfterHandOff,
        _ => suspect ? MaxDelaySuspect : MaxDelayBusy,
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
        foreach (Processor p in scheduler.Processors)
        {
            Machine? machine = p.Machine;
            ref Processor.SysmonView seen = ref p.Seen;
            uint tick = Volatile.Read(ref p.ScheduleTick);
            if (machine is null || machine.IsPinned)
                continue; // in the scheduler's own code, or asleep in its poller
            long cpuTime = machine.Clock.CpuTime();
            if (tick != seen.Tick || machine != seen.Machine)
            {
                seen = new Processor.SysmonView { Tick = tick, Machine = machine, Since = now, CpuTime = cpuTime };
                continue;
            }
            suspect = true;
            bool blocked = cpuTime == seen.CpuTime && machine.Clock.IsAsleep();
            seen.CpuTime = cpuTime;
            LookAtSuspect(p, machine, ref seen, blocked, now);
        }
        return suspect;
    }

    private bool SomethingWaitsFor(Processor p) =>
        p.HasLocalWork || scheduler.HasGlobalWork || p.HasPollerToAdopt || p.Timers.NextWhen <= scheduler.Now();

    private void LookAtSuspect(Processor p, Machine machine, ref Processor.SysmonView seen, bool blocked, long now)
    {
        if (!blocked && p.Poller.HasRegistrations)
        {
            GoroutineQueue ready = default;
            p.Poller.Poll(0, ref ready);
            while (ready.PopFront() is { } g)
                g.Scheduler.Enqueue(g, next: false);
        }
        if (p.HasLocalWork)
            scheduler.WakeOne();
        if (!blocked && (now - seen.Since < TimeSlice || !SomethingWaitsFor(p)))
            return;
        if (!machine.TryTakeProcessor(p))
            return;
        _handOffs++;
        if (blocked)
            _lastBlocked = now;
        seen = default;
        scheduler.StartMachine(p);
    }
}
