namespace NetGo;

// Who watches the scheduler, and what it counts of itself.
public sealed partial class GoScheduler
{
    // Guarded by _lock.
    private readonly List<SchedulerObserver> _observers = [];
    private EventsObserver? _events;

    private volatile SchedulerObserver? _observer;

    // How many take traces; guarded by _lock. And how many of these with garbage collections, whose listener it is; guarded by s_collectionLock,
    // which comes before _lock and before any that the runtime has for event sources. It is all schedulers': of two listeners that begin or end
    // at the same moment each may have the lock that the other's EventListener.Dispose wants.
    private static readonly Lock s_collectionLock = new();
    private int _traces;
    private int _tracesWithCollections;
    private CollectionListener? _collectionListener;
    private volatile TraceObserver? _tracer;

    /// <summary>Null while nobody watches.</summary>
    internal SchedulerObserver? Observer => _observer;

    /// <summary>It is told from now on. Calls that others are in the midst of may not come.</summary>
    internal void AddObserver(SchedulerObserver observer)
    {
        lock (_lock)
        {
            _observers.Add(observer);
            Compose();
        }
    }

    /// <summary>A call that is under way may still come.</summary>
    internal void RemoveObserver(SchedulerObserver observer)
    {
        lock (_lock)
        {
            _observers.Remove(observer);
            Compose();
        }
    }

    /// <summary>Null while no trace is being taken.</summary>
    internal TraceObserver? Tracer => _tracer;

    /// <summary>Starts to write records, if nobody else has. For <see cref="ReleaseTracer"/>.</summary>
    internal TraceObserver AcquireTracer(bool collections)
    {
        TraceObserver tracer;
        lock (_lock)
        {
            if (_traces++ == 0)
            {
                _tracer = new TraceObserver(this, _traceBufferEvents);
                AddObserver(_tracer);
            }
            tracer = _tracer!;
        }
        try
        {
            if (collections)
                Listen(tracer);
        }
        catch
        {
            ReleaseTracer(tracer, collections: false);
            throw;
        }
        return tracer;
    }

    // Not under _lock, which those take who are told by event sources: the runtime has a lock of its own around both.
    private void Listen(TraceObserver tracer)
    {
        lock (s_collectionLock)
        {
            if (_tracesWithCollections == 0)
                _collectionListener = new CollectionListener(tracer.WriteOfRuntime);
            _tracesWithCollections++;
        }
    }

    internal void ReleaseTracer(TraceObserver tracer, bool collections)
    {
        if (collections)
        {
            lock (s_collectionLock)
            {
                if (--_tracesWithCollections == 0)
                {
                    _collectionListener!.Dispose();
                    _collectionListener = null;
                }
            }
        }
        lock (_lock)
        {
            if (--_traces > 0)
                return;
            RemoveObserver(tracer);
            _tracer = null;
        }
    }

    private void Compose()
    {
        SchedulerObserver? all = null;
        foreach (SchedulerObserver observer in _observers)
            all = all is null ? observer : new ObserverPair(all, observer);
        _observer = all;
    }

    /// <summary>Prints a line about the scheduler from time to time, until it is disposed of; Go's GODEBUG=schedtrace. The environment variable
    /// <c>NETGO_DEBUG=schedtrace=1000,scheddetail=1</c> does it for <see cref="Default"/>.</summary>
    /// <param name="interval">How often, 1 ms or more.</param>
    /// <param name="detail">With every processor, machine and goroutine; Go's scheddetail.</param>
    /// <param name="output">Where to; null for the standard error stream.</param>
    public IDisposable StartSchedTrace(TimeSpan interval, bool detail = false, TextWriter? output = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(interval, TimeSpan.FromMilliseconds(int.MaxValue));
        return new SchedTrace(this, interval, detail, output ?? Console.Error);
    }

    /// <summary>What it does and has done: what Go's schedtrace prints. The figures are of slightly different moments. Costs nothing
    /// but the call.</summary>
    public SchedulerStatistics GetStatistics()
    {
        Processor[] processors = _processors;
        var ofEach = new ProcessorStatistics[processors.Length];
        long now = Now();
        for (int i = 0; i < ofEach.Length; i++)
            ofEach[i] = processors[i].GetStatistics(now);
        int idleMachines = 0;
        int machines;
        int global;
        lock (_lock)
        {
            for (Machine? m = _idleMachines; m is not null; m = m.IdleLink)
                idleMachines++;
            machines = _machines;
            global = _global.Count;
        }
        return new SchedulerStatistics(
            ofEach, GoroutineCount, global, machines, idleMachines, _idle.Spinning,
            _sysmon.HandOffsFor(HandOffReason.Blocked), _sysmon.HandOffsFor(HandOffReason.Syscall), _sysmon.HandOffsFor(HandOffReason.TimeSlice));
    }
}
