using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>A scheduler of goroutines: processors (one per core), machines (threads) that run goroutines while they hold a
/// processor, and sysmon, which takes the processor of a machine that blocks. Go's <c>sched</c>. Most programs use the
/// <see cref="Default"/> one by way of <see cref="Go"/>; a scheduler of one's own is for tests and for isolation.
/// All members may be used from any thread.</summary>
public sealed partial class GoScheduler : IDisposable
{
    private const int OperationBudget = 128;

    private static readonly Lock s_defaultLock = new();
    private static GoScheduler? s_default;

    private readonly Lock _lock = new();
    private readonly TimeProvider _timeProvider;
    private readonly double _nanosecondsPerTick;
    private readonly Sysmon _sysmon;
    private readonly int _traceBufferEvents;
    private readonly Simulation? _simulation;
    private readonly GoroutineWatch? _watch;
    private volatile bool _stopping;
    private volatile bool _sysmonHasEnded;
    private bool _processorsReleased;

    /// <summary>Makes a scheduler and starts its threads.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of the <see cref="SchedulerOptions"/> is out of its range.</exception>
    /// <exception cref="MachineLimitException">The system has no threads for it.</exception>
    public GoScheduler(SchedulerOptions? options = null)
        : this(options ?? new SchedulerOptions(), null)
    {
        try
        {
            foreach (Processor p in _processors)
                GiveToMachine(p, ReserveMachine() ?? throw new MachineLimitException(_maxMachines));
            _sysmon.Start();
            _watch = new GoroutineWatch(this, options ?? new SchedulerOptions());
            LiveSchedulers.Add(this);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>One without threads of its own when it is simulated: the simulation's thread runs all its goroutines.</summary>
    internal GoScheduler(SchedulerOptions options, Simulation? simulation)
    {
        options.Validate();
        _simulation = simulation;
        _timeProvider = options.TimeProvider;
        _nanosecondsPerTick = 1e9 / _timeProvider.TimestampFrequency;
        _maxMachines = options.MaxMachines;
        _machineIdleTimeout = options.MachineIdleTimeout;
        _traceBufferEvents = options.TraceBufferEvents;
        Policy = options.Policy;
        Buffers = options.Buffers ?? BufferPool.Shared;
        Binding = options.MachineBinding;
        // A simulation's thread is its caller's.
        BindsMachines = Binding != MachineBinding.None && OperatingSystem.IsLinux() && simulation is null;
        var processors = new Processor[options.MaxProcs];
        for (int i = 0; i < processors.Length; i++)
            processors[i] = new Processor(this, i);
        _processors = _allProcessors = processors;
        _sysmon = new Sysmon(this);
    }

    /// <summary>A goroutine ended with an exception and nobody awaits it, or the scheduler cannot get the threads that it
    /// needs. Handled, the process goes on; otherwise it ends.</summary>
    public event EventHandler<UnhandledGoroutineException>? UnhandledException;

    /// <summary>The scheduler of the process, made at its first use.</summary>
    public static GoScheduler Default
    {
        get
        {
            return Volatile.Read(ref s_default) ?? Make();

            static GoScheduler Make()
            {
                LiveSchedulers.Prepare();
                lock (s_defaultLock)
                {
                    if (s_default is null)
                    {
                        DebugVariable settings = DebugVariable.Read(Console.Error);
                        var scheduler = new GoScheduler(settings.ToOptions());
                        if (settings.SchedTrace > 0)
                            _ = scheduler.StartSchedTrace(TimeSpan.FromMilliseconds(settings.SchedTrace), settings.SchedDetail);
                        Volatile.Write(ref s_default, scheduler);
                    }
                    return s_default!;
                }
            }
        }
    }

    /// <summary>The scheduler whose goroutine is running on this thread, else the default one.</summary>
    public static GoScheduler Current => Machine.OfThisThread?.Scheduler ?? Default;

    /// <summary>As <see cref="Current"/>; null where there is none, and the default one has not been made.</summary>
    internal static GoScheduler? CurrentIfAny => Machine.OfThisThread?.Scheduler ?? Volatile.Read(ref s_default);

    /// <summary>How often a processor was taken from a machine that was blocked or would not yield.</summary>
    public long HandOffCount => _sysmon.HandOffCount;

    /// <summary>What runs next, and for how long.</summary>
    public SchedulingPolicy Policy { get; }

    /// <summary>Where connections and servers on this scheduler have their buffers from.</summary>
    public BufferPool Buffers { get; }

    /// <summary>Who is told what the scheduler does; null, the default, for nobody, and then it costs nothing. May be changed
    /// at any time.</summary>
    public SchedulerEvents? Events
    {
        get => _events?.Events;
        set
        {
            lock (_lock)
            {
                if (_events is not null)
                    RemoveObserver(_events);
                _events = value is null ? null : new EventsObserver(this, value);
                if (_events is not null)
                    AddObserver(_events);
            }
        }
    }

    internal MachineBinding Binding { get; }

    /// <summary>Machines are to be bound, as <see cref="Binding"/> says.</summary>
    internal bool BindsMachines { get; }

    internal Simulation? Simulation => _simulation;

    internal bool IsStopping => _stopping;

    /// <summary>What <see cref="SchedulerOptions.TimeProvider"/> gave.</summary>
    internal TimeProvider Clock => _timeProvider;

    // ---- Time ----

    /// <summary>The scheduler's clock in nanoseconds; Go's nanotime.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal long Now()
    {
        if (_timeProvider == TimeProvider.System && Stopwatch.Frequency == 1_000_000_000)
            return Stopwatch.GetTimestamp();
        return (long)(_timeProvider.GetTimestamp() * _nanosecondsPerTick);
    }

    /// <summary>The time this long from now; later than any when that is beyond the clock, or infinite.</summary>
    internal long TimeAfter(TimeSpan duration)
    {
        long nanoseconds = Nanoseconds(duration);
        return nanoseconds == long.MaxValue ? long.MaxValue : Now() + Math.Max(0, nanoseconds);
    }

    /// <summary>A duration in nanoseconds; <see cref="long.MaxValue"/> when it is infinite or longer than a clock can show.</summary>
    internal static long Nanoseconds(TimeSpan duration)
    {
        if (duration == Timeout.InfiniteTimeSpan || duration.Ticks > long.MaxValue / 200)
            return long.MaxValue;
        return Math.Max(duration.Ticks, 0) * 100;
    }

    /// <summary>The heap that timers started on this thread go to.</summary>
    internal TimerHeap TimersForThisThread()
    {
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            machine.Unpin(previous);
            if (p is not null)
                return p.Timers;
        }
        return _processors[0].Timers;
    }

    // ---- Randomness ----

    /// <summary>A seed (not 0) for a generator of pseudo-random numbers of one's own: in a simulation it is the simulation's.
    /// </summary>
    internal static uint NewSeed() =>
        (Machine.OfThisThread?.Scheduler._simulation is { } simulation ? simulation.NextRandom() : (uint)Random.Shared.Next()) | 1;

    // ---- The budget ----

    /// <summary>How many operations that need not park a goroutine it may do in one slice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int NextBudget() => _simulation is null ? OperationBudget : _simulation.NextBudget();

    // ---- The end ----

    /// <summary>Lets the machine of a simulation return.</summary>
    internal void StopSimulated() => _stopping = true;

    /// <summary>Stops the scheduler's threads. Goroutines that have not ended never run again, so what they hold (a socket that
    /// one of them reads from, say) is not released: close listeners and connections, and let the goroutines end, first. Code
    /// that is running is not interrupted: it waits for it for up to 5 seconds, and what the scheduler itself holds is released when
    /// the last of its threads has come back. Does nothing in a simulation.</summary>
    public void Dispose()
    {
        if (_simulation is not null)
            return;
        lock (_lock)
        {
            if (_stopping)
                return;
            _stopping = true;
        }
        _watch?.Dispose();
        LiveSchedulers.Remove(this);
        _sysmon.Stop();
        // The machine that this is called on cannot come back before it returns.
        Machine? own = Machine.OfThisThread;
        for (int attempt = 0; attempt < 500 && Array.Exists(_allProcessors, p => IsHeld(p) && p.Machine != own); attempt++)
        {
            foreach (Processor p in _allProcessors)
                p.Poller.Wake();
            StopWaitingMachines();
            Thread.Sleep(Math.Min(attempt, 10));
        }
        StopWaitingMachines();
        _sysmonHasEnded = true;
        ReleaseProcessors();
    }

    private static bool IsHeld(Processor p) => p.Machine is { HasEnded: false };

    /// <summary>Once nobody can be using them any more: by Dispose, or by the last machine that ends after it.</summary>
    internal void ReleaseProcessors()
    {
        lock (_lock)
        {
            if (!_sysmonHasEnded || _processorsReleased || Array.Exists(_allProcessors, IsHeld))
                return;
            _processorsReleased = true;
        }
        foreach (Processor p in _allProcessors)
            p.Dispose();
    }
}
