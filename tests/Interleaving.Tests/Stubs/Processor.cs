using NetGo.Interleaving;

namespace NetGo;

/// <summary>A processor with a ring and a poller, that notices when two use it at the same time. It has no timers, no
/// run-next, and nothing registered with its poller.</summary>
internal sealed class Processor(GoScheduler scheduler, int index)
{
    private bool _inUse;

    public int Index => index;

    public ProcessorPhase Phase;

    /// <summary>Its machine has ended.</summary>
    public bool HasEnded;

    public bool HasPolicy => false;

    public RunQueue RunQueue { get; init; } = new();

    public SleepingPlace Poller { get; } = new();

    public NoTimers Timers { get; } = new();

    public NoBuffers Buffers { get; } = new();

    public uint SearchTick;

    public long PolledBefore;

    public int PollsPutOff;

    public bool HasRoomForPoll => true;

    public long SleepUntil;

    public ProcessorCounts Counts;

    public long IdleSince;

    public bool HasLocalWork => RunQueue.Count > 0;

    public bool HasPollerToAdopt => false;

    public void AdoptAttachedPoller()
    {
    }

    public uint NextRandom() => (uint)Index + 1;

    public void Put(Goroutine g, bool next)
    {
        Assert.False(next);
        Assert.True(RunQueue.TryPut(g));
    }

    public void EndStreak()
    {
    }

    public Goroutine? Get() => RunQueue.TryGet();

    public Goroutine? StealFrom(Processor victim, bool runNextToo) => victim.RunQueue.StealHalfInto(RunQueue);

    /// <summary>The machine that has it is at work.</summary>
    public void Use()
    {
        Assert.False(_inUse, "Two machines use the processor.");
        _inUse = true;
        Run.Point();
        _inUse = false;
    }

    public override string ToString() => $"p{index} of {scheduler}";

    /// <summary>Where its machine sleeps until it is woken. A wake-up is kept for the next sleep.</summary>
    internal sealed class SleepingPlace
    {
        private bool _woken;
        private bool _sleeping;

        public bool HasRegistrations => false;

        public bool IsAsleep => _sleeping && !_woken;

        public void Poll(long timeout, ref GoroutineQueue ready)
        {
            if (timeout == 0)
                return;
            _sleeping = true;
            Run.WaitUntil("its poller", () => _woken);
            _sleeping = false;
            _woken = false;
        }

        public void Wake()
        {
            Run.Point();
            _woken = true;
        }
    }

    internal sealed class NoBuffers
    {
        public bool FlushWanted => false;

        public void Flush()
        {
        }
    }

    internal sealed class NoTimers
    {
        public long NextWhen => long.MaxValue;

        public int Count => 0;

        public int RunDue(long now) => 0;
    }
}
