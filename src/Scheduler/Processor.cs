using System.Diagnostics;

namespace NetGo;

/// <summary>A processor: the right to run goroutines, with all that is kept per core. Go's p. Held by one machine at a time,
/// whose thread alone touches the members marked "owner"; the others may be used by any thread.</summary>
internal sealed class Processor : IDisposable
{
    private const int FreeListMax = 1024;
    private const int MaxRunNextStreak = 32;

    private readonly GoScheduler _scheduler;
    private GoroutineQueue _free;
    private Goroutine? _runNext;
    private long _nextId;
    private long _lastId;
    private uint _stealSeed;
    private int _runNextStreak;

    private readonly SchedulingOrder? _order;
    private readonly Lock _orderLock = new();
    private int _orderCount;

    public Processor(GoScheduler scheduler, int index)
    {
        _scheduler = scheduler;
        Index = index;
        Timers = new TimerHeap(this);
        Poller = scheduler.Simulation is { } simulation ? simulation.Poller : new SemaphorePoller();
        _stealSeed = (uint)index + 1;
        _order = scheduler.Policy.CreateOrder(index);
        Buffers = scheduler.Buffers.CreateCache(index, WakeIfIdle); // last: the pool knows it from now on
    }

    public int Index { get; }

    /// <summary>Changes as GoScheduler.Processors.cs says.</summary>
    public volatile ProcessorPhase Phase;

    public RunQueue RunQueue { get; } = new();

    public TimerHeap Timers { get; }

    /// <summary>Owner.</summary>
    public BufferCache Buffers { get; }

    /// <summary>Where its machine sleeps. Replaced once, by the owner, when Netpoll attaches its own.</summary>
    public IPoller Poller { get; private set; }

    /// <summary>A poller that waits to replace <see cref="Poller"/>.</summary>
    public IPoller? AttachedPoller;

    /// <summary>The machine that holds it. Written under the scheduler's lock or by that machine.</summary>
    public volatile Machine? Machine;

    /// <summary>Owner. Sysmon compares two looks at its Runs.</summary>
    public ProcessorCounts Counts;

    /// <summary>Since when its machine has been asleep in the poller, by the scheduler's clock; 0 when it is not.</summary>
    public long IdleSince;

    /// <summary>Owner: counts searches for work.</summary>
    public uint SearchTick;

    /// <summary>Owner: a time by which the poller had last been asked; 0 when that was not long ago, and nobody has looked at the
    /// clock since.</summary>
    public long PolledBefore;

    /// <summary>Owner: how often in a row a poll was due and the ring had no room for what it would bring.</summary>
    public int PollsPutOff;

    /// <summary>Until when its machine means to sleep in the poller; valid while the processor is idle.</summary>
    public long SleepUntil;

    /// <summary>Owner: goroutines spawned less goroutines ended here. May be negative; the sum over all is what counts.</summary>
    public long LiveCount;

    // What sysmon saw at its last look.
    public SysmonView Seen;

    internal struct SysmonView
    {
        public uint Tick;
        public long Since;
        public Machine? Machine;
        public long CpuTime;

        /// <summary><see cref="Tick"/> is of a Go.Blocking.</summary>
        public bool InSyscall;
    }

    /// <summary>Runnable goroutines are in the queue of a policy; the ring and run-next are empty.</summary>
    public bool HasPolicy => _order is not null;

    public bool HasLocalWork => Volatile.Read(ref _runNext) is not null || RunQueue.Count > 0 || Volatile.Read(ref _orderCount) > 0;

    /// <summary>Whether more than run-next waits here: something for thieves.</summary>
    public bool HasMoreThanNext => RunQueue.Count > 0 || Volatile.Read(ref _orderCount) > 1;

    /// <summary>Owner: whether the ring can take as many as a poll brings.</summary>
    public bool HasRoomForPoll => RunQueue.Count <= RunQueue.Capacity - IPoller.MaxEvents;

    /// <summary>Owner. With <paramref name="next"/> it runs before all others, and who was to be next goes to the end of the
    /// queue; Go's runqput.</summary>
    public void Put(Goroutine g, bool next)
    {
        if (_order is not null)
        {
            PutByPolicy(g, next);
            return;
        }
        if (next)
        {
            Goroutine? kicked = Interlocked.Exchange(ref _runNext, g);
            if (kicked is null)
                return;
            g = kicked;
        }
        if (!RunQueue.TryPut(g))
            PutOverflow(g);
    }

    private void PutOverflow(Goroutine g)
    {
        do
        {
            GoroutineQueue overflow = default;
            if (RunQueue.TakeHalfForOverflow(ref overflow))
            {
                overflow.PushBack(g);
                _scheduler.EnqueueGlobal(ref overflow);
                return;
            }
        }
        while (!RunQueue.TryPut(g));
    }

    /// <summary>Owner: the next goroutine of its own; Go's runqget. Two that make each other ready would keep the ring waiting
    /// for ever, so after some from run-next in a row the ring has its turn.</summary>
    public Goroutine? Get()
    {
        if (_order is not null)
            return TakeByPolicy();
        if (_runNextStreak < MaxRunNextStreak)
        {
            if (TakeRunNext() is { } next)
            {
                _runNextStreak++;
                return next;
            }
        }
        _runNextStreak = 0;
        return RunQueue.TryGet() ?? TakeRunNext();
    }

    /// <summary>Owner: who runs next does not come from run-next.</summary>
    public void EndStreak() => _runNextStreak = 0;

    private Goroutine? TakeRunNext() => Volatile.Read(ref _runNext) is null ? null : Interlocked.Exchange(ref _runNext, null);

    /// <summary>Owner of this one, whose queue must be empty: steals from another, its run-next only as the last resort.</summary>
    public Goroutine? StealFrom(Processor victim, bool runNextToo)
    {
        if (_order is not null)
            return victim.TakeByPolicy();
        if (victim.RunQueue.StealHalfInto(RunQueue) is { } g)
            return g;
        return runNextToo ? victim.TakeRunNext() : null;
    }

    private void PutByPolicy(Goroutine g, bool next)
    {
        long now = _scheduler.Now();
        lock (_orderLock)
        {
            try
            {
                _order!.Add(new GoroutineRef(g), next, now);
            }
            catch (Exception e)
            {
                Environment.FailFast($"{_order!.GetType()}.{nameof(SchedulingOrder.Add)} has thrown: the goroutine would be lost.", e);
            }
            Volatile.Write(ref _orderCount, _orderCount + 1);
        }
    }

    private Goroutine? TakeByPolicy()
    {
        if (Volatile.Read(ref _orderCount) == 0)
            return null;
        long now = _scheduler.Now();
        lock (_orderLock)
        {
            if (_orderCount == 0)
                return null;
            Volatile.Write(ref _orderCount, _orderCount - 1);
            try
            {
                return _order!.TakeNext(now).Goroutine;
            }
            catch (Exception e)
            {
                Environment.FailFast($"{_order!.GetType()}.{nameof(SchedulingOrder.TakeNext)} has thrown: a goroutine would be lost.", e);
                return null;
            }
        }
    }

    /// <summary>Owner, or whoever has taken it from its owner: empties its queue.</summary>
    public void Drain(ref GoroutineQueue queue)
    {
        while (Get() is { } g)
            queue.PushBack(g);
    }

    /// <summary>Owner: whether the goroutine taken last came from run-next, and so runs on in the slice of the one that made it
    /// ready.</summary>
    public bool InheritsSlice => _runNextStreak != 0;

    /// <summary>Owner: a cheap pseudo-random number to choose victims by (xorshift).</summary>
    public uint NextRandom()
    {
        uint x = _stealSeed;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        return _stealSeed = x;
    }

    /// <summary>Owner: a number for a new goroutine, taken from the scheduler in batches.</summary>
    public long NextGoroutineId()
    {
        if (_nextId == _lastId)
            (_nextId, _lastId) = _scheduler.ReserveGoroutineIds();
        return _nextId++;
    }

    /// <summary>Owner: a goroutine to be prepared.</summary>
    public Goroutine RentGoroutine()
    {
        if (_free.PopFront() is { } g)
            return g;
        _scheduler.RefillFreeList(ref _free, FreeListMax / 2);
        return _free.PopFront() ?? _scheduler.MakeGoroutine(Index);
    }

    /// <summary>Owner.</summary>
    public void ReturnGoroutine(Goroutine g)
    {
        g.ClearForReuse();
        _free.PushBack(g);
        if (_free.Count >= FreeListMax)
            _scheduler.SpillFreeList(ref _free, FreeListMax / 2);
    }

    /// <summary>A timer is now the first of the heap. When the machine sleeps past it, it is woken; when it runs, it will
    /// look at the heap before it sleeps.</summary>
    public void TimerMovedUp(long when)
    {
        // The heap's lock was a full fence: either we see the idle bit, or the machine going idle sees the timer.
        if (_scheduler.IsIdle(this) && when < Volatile.Read(ref SleepUntil))
            _scheduler.WakeProcessor(this);
    }

    public bool HasPollerToAdopt => Volatile.Read(ref AttachedPoller) is { } attached && attached != Poller;

    /// <summary>Owner: takes over the poller that was attached, if one was.</summary>
    public void AdoptAttachedPoller()
    {
        if (!HasPollerToAdopt)
            return;
        Debug.Assert(!Poller.HasRegistrations);
        Poller = AttachedPoller!;
    }

    /// <summary>Any thread.</summary>
    public ProcessorStatistics GetStatistics(long now)
    {
        long idleSince;
        long idleTime;
        do // a sleep that has just ended would count twice
        {
            idleSince = Volatile.Read(ref IdleSince);
            idleTime = Volatile.Read(ref Counts.IdleTime);
        }
        while (Volatile.Read(ref IdleSince) != idleSince);
        long idle = idleTime + (idleSince == 0 ? 0 : Math.Max(0, now - idleSince));
        Machine? machine = Machine;
        long[] batches = Counts.CopyBatches();
        return new ProcessorStatistics(
            Index, idleSince != 0, machine?.Id ?? 0, idleSince != 0 ? 0 : machine?.RunningId ?? 0,
            RunQueue.Count + Volatile.Read(ref _orderCount) + (Volatile.Read(ref _runNext) is null ? 0 : 1), Timers.Count, Counts.TimersFired, Counts.Runs, Counts.Steals,
            Counts.Sleeps, TimeSpan.FromTicks(idle / 100), batches.Sum(), batches, Counts.PolledReady);
    }

    private void WakeIfIdle()
    {
        if (_scheduler.IsIdle(this))
            _scheduler.WakeProcessor(this);
    }

    public void Dispose()
    {
        _scheduler.Buffers.RemoveCache(Buffers);
        Poller.Dispose();
        if (AttachedPoller != Poller)
            AttachedPoller?.Dispose();
    }
}
