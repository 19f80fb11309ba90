using NetGo.Interleaving;

namespace NetGo;

/// <summary>The parts of the scheduler by which machines and work find each other, with the same accesses in the same order
/// as in GoScheduler.cs: the global queue, and the use of <see cref="IdleProcessors"/>.</summary>
internal sealed class GoScheduler
{
    private readonly Lock _lock = new();
    private readonly Lock _resizeLock = new();
    private readonly Processor[] _all;
    private Processor[] _processors;
    private readonly IdleProcessors _idle;
    private GoroutineQueue _global;
    private int _globalCount;

    public GoScheduler(Run run, int processors)
    {
        run.Share(this);
        _idle = run.Share(new IdleProcessors());
        _processors = new Processor[processors];
        _all = _processors;
        for (int i = 0; i < processors; i++)
            _processors[i] = run.Share(new Processor(this, i) { RunQueue = run.Share(new RunQueue()) });
    }

    public ReadOnlySpan<Processor> Processors => _processors;

    public bool IsStopping { get; private set; }

    public bool HasGlobalWork => Volatile.Read(ref _globalCount) > 0;

    /// <summary>All machines sleep or have ended, and nobody has woken one.</summary>
    public bool AllAsleep => Array.TrueForAll(_all, static p => p.HasEnded || p.Poller.IsAsleep);

    public bool NobodySpins => _idle.ShouldWake(_processors.Length);

    public void EnqueueGlobal(Goroutine g)
    {
        lock (_lock)
        {
            _global.PushBack(g);
            Volatile.Write(ref _globalCount, _global.Count);
        }
        WakeOne();
    }

    private void EnqueueGlobal(ref GoroutineQueue queue)
    {
        if (queue.Count == 0)
            return;
        lock (_lock)
        {
            _global.PushBackAll(ref queue);
            Volatile.Write(ref _globalCount, _global.Count);
        }
        WakeOne();
    }

    public void Enqueue(Goroutine g, bool next) => EnqueueGlobal(g);

    public Goroutine? TakeOneOfGlobal()
    {
        if (!HasGlobalWork)
            return null;
        lock (_lock)
        {
            Goroutine? g = _global.PopFront();
            Volatile.Write(ref _globalCount, _global.Count);
            return g;
        }
    }

    public Goroutine? TakeShareOfGlobal(Processor processor)
    {
        if (!HasGlobalWork)
            return null;
        lock (_lock)
        {
            int share = _global.Count / _processors.Length + 1;
            Goroutine? first = _global.PopFront();
            while (--share > 0 && _global.PopFront() is { } g)
                processor.Put(g, next: false);
            Volatile.Write(ref _globalCount, _global.Count);
            return first;
        }
    }

    public void TakeShareOfGlobalIntoQueue(Processor processor) => Assert.Fail("There is no policy here.");

    /// <summary>As SetMaxProcs does it.</summary>
    public void Shrink(int count)
    {
        Processor[] before = _processors;
        lock (_resizeLock)
        {
            _processors = before[..count];
            foreach (Processor p in before.AsSpan(count))
            {
                p.Phase = ProcessorPhase.Retiring;
                Interlocked.MemoryBarrier();
                if (_idle.IsIdle(p.Index))
                    WakeProcessor(p);
            }
        }
    }

    public bool TryDismantle(Processor p)
    {
        GoroutineQueue queue = default;
        lock (_resizeLock)
        {
            if (p.Phase != ProcessorPhase.Retiring)
                return false;
            while (p.Get() is { } g)
                queue.PushBack(g);
            p.Phase = ProcessorPhase.Retired;
        }
        EnqueueGlobal(ref queue);
        return true;
    }

    public SchedulerObserver? Observer => null;

    public bool AnyOtherHasWork(Processor processor)
    {
        foreach (Processor other in _processors)
        {
            if (other != processor && other.HasLocalWork)
                return true;
        }
        return false;
    }

    public void SetIdle(Processor p) => _idle.Set(p.Index);

    public bool ClearIdle(Processor p) => _idle.TryClear(p.Index);

    public void WakeOne()
    {
        if (_idle.ShouldWake(_processors.Length))
            WakeOneSlow();
    }

    public void WakeOneSlow()
    {
        Processor[] processors = _processors;
        int index = _idle.TakeToWake(processors.Length);
        if (index >= 0)
            processors[index].Poller.Wake();
    }

    public void WakeProcessor(Processor p)
    {
        if (_idle.TryTakeToWake(p.Index))
            p.Poller.Wake();
        else
            WakeOne();
    }

    public bool TryBeginSpinning() => _idle.TryBeginSpinning(_processors.Length);

    public void EndSpinning() => _idle.EndSpinning();

    public long Now() => 0;

    public TimerHeap Timers { get; } = new();

    public TimerHeap TimersForThisThread() => Timers;

    /// <summary>A goroutine of a test is a virtual thread that waits.</summary>
    public void Ready(Goroutine g, bool next) => g.MarkRunnable();

    /// <summary>Lets all machines end.</summary>
    public void Stop()
    {
        IsStopping = true;
        foreach (Processor p in _all)
            p.Poller.Wake();
    }

    public override string ToString() => "scheduler";
}
