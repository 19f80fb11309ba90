using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>A scheduler of goroutines: processors (one per core), machines (threads) that run goroutines while they hold a
/// processor, and sysmon, which takes the processor of a machine that blocks. Go's <c>sched</c>. Most programs use the
/// <see cref="Default"/> one by way of <see cref="Go"/>; a scheduler of one's own is for tests and for isolation.
/// All members may be used from any thread.</summary>
public sealed partial class GoScheduler : IDisposable
{
    private const int GoroutineIdBatch = 16;
    private const int MaxGlobalShare = RunQueue.Capacity / 2;
    private static readonly TimeSpan s_idleMachineLifetime = TimeSpan.FromSeconds(30);

    private static readonly Lock s_defaultLock = new();
    private static GoScheduler? s_default;

    private readonly Lock _lock = new();
    private readonly Processor[] _processors;
    private readonly IdleProcessors _idle = new();
    private readonly TimeProvider _timeProvider;
    private readonly double _nanosecondsPerTick;
    private readonly Sysmon _sysmon;

    // Guarded by _lock.
    private GoroutineQueue _global;
    private GoroutineQueue _freeList;
    private Machine? _idleMachines;
    private int _machinesMade;

    private int _globalCount;
    private long _lastGoroutineId;
    private long _liveElsewhere;
    private volatile bool _stopping;

    /// <summary>Makes a scheduler and starts its threads.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="SchedulerOptions.MaxProcs"/> is not positive.</exception>
    public GoScheduler(SchedulerOptions? options = null)
    {
        options ??= new SchedulerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxProcs, 1, nameof(options));
        _timeProvider = options.TimeProvider;
        _nanosecondsPerTick = 1e9 / _timeProvider.TimestampFrequency;
        _processors = new Processor[options.MaxProcs];
        for (int i = 0; i < _processors.Length; i++)
            _processors[i] = new Processor(this, i);
        foreach (Processor p in _processors)
            new Machine(this, ++_machinesMade, p).Start();
        _sysmon = new Sysmon(this);
        _sysmon.Start();
    }

    /// <summary>A goroutine ended with an exception and nobody awaits it. Handled, the process goes on; otherwise it
    /// ends.</summary>
    public event EventHandler<UnhandledGoroutineException>? UnhandledException;

    /// <summary>The scheduler of the process, made at its first use.</summary>
    public static GoScheduler Default
    {
        get
        {
            return Volatile.Read(ref s_default) ?? Make();

            static GoScheduler Make()
            {
                lock (s_defaultLock)
                {
                    if (s_default is null)
                        Volatile.Write(ref s_default, new GoScheduler());
                    return s_default!;
                }
            }
        }
    }

    /// <summary>The scheduler whose goroutine is running on this thread, else the default one.</summary>
    public static GoScheduler Current => Machine.OfThisThread?.Scheduler ?? Default;

    /// <summary>The number of processors; Go's GOMAXPROCS.</summary>
    public int MaxProcs => _processors.Length;

    /// <summary>The number of goroutines that exist; Go's NumGoroutine. Exact while nothing is spawned or ends.</summary>
    public long GoroutineCount
    {
        get
        {
            long count = Volatile.Read(ref _liveElsewhere);
            foreach (Processor p in _processors)
                count += Volatile.Read(ref p.LiveCount);
            return count;
        }
    }

    /// <summary>How often a processor was taken from a machine that was blocked or would not yield.</summary>
    public long HandOffCount => _sysmon.HandOffCount;

    /// <summary>The number of threads made to run goroutines so far, including those that have ended.</summary>
    public int MachineCount => Volatile.Read(ref _machinesMade);

    internal ReadOnlySpan<Processor> Processors => _processors;

    internal bool IsStopping => _stopping;

    // ---- Spawning ----

    /// <summary>Starts a goroutine; Go's <c>go</c> statement.</summary>
    /// <param name="body">What it runs. An exception that it throws ends the process unless
    /// <see cref="UnhandledException"/> is handled.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public void Spawn(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        SpawnCore(body ?? throw new ArgumentNullException(nameof(body)), null, file, line);

    /// <summary>Starts a goroutine with an argument, so that no closure is needed.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="state">Its argument.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public void Spawn(Func<object?, Task> body, object? state, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        SpawnCore(body ?? throw new ArgumentNullException(nameof(body)), state, file, line);

    /// <summary>Starts a goroutine that never parks.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public void Spawn(Action body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        SpawnCore(body ?? throw new ArgumentNullException(nameof(body)), null, file, line);

    /// <summary>Runs a function as a goroutine and returns a task for its end.</summary>
    /// <param name="body">What it runs. Its exception is the task's.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Task RunAsync(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        return RunAsync(async () =>
        {
            await body(); // in the goroutine's context: one more hop otherwise
            return true;
        }, file, line);
    }

    /// <summary>Runs a function as a goroutine and returns a task for its result.</summary>
    /// <param name="body">What it runs. Its exception is the task's.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Task<T> RunAsync<T>(Func<Task<T>> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        SpawnCore(
            async () =>
            {
                try
                {
                    result.SetResult(await body());
                }
                catch (OperationCanceledException e)
                {
                    result.SetCanceled(e.CancellationToken);
                }
                catch (Exception e)
                {
                    result.SetException(e);
                }
            },
            null, file, line);
        return result.Task;
    }

    private void SpawnCore(Delegate body, object? state, string file, int line)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                Goroutine g = p.RentGoroutine();
                p.LiveCount++;
                g.Prepare(p.NextGoroutineId(), body, state, file, line);
                p.Put(g, next: true);
                machine.Unpin(previous);
                WakeOne();
                return;
            }
            machine.Unpin(previous);
        }
        var stray = new Goroutine(this);
        Interlocked.Increment(ref _liveElsewhere);
        stray.Prepare(ReserveGoroutineIds().First, body, state, file, line);
        EnqueueGlobal(stray);
    }

    internal (long First, long End) ReserveGoroutineIds()
    {
        long end = Interlocked.Add(ref _lastGoroutineId, GoroutineIdBatch) + 1;
        return (end - GoroutineIdBatch, end);
    }

    /// <summary>A goroutine without a body, in state Running, for code that has lost its own.</summary>
    internal Goroutine RentBranch(Goroutine? root)
    {
        Goroutine g;
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            g = machine.Pin(out int previous)?.RentGoroutine() ?? new Goroutine(this);
            machine.Unpin(previous);
        }
        else
        {
            g = new Goroutine(this);
        }
        g.PrepareBranch(root);
        return g;
    }

    /// <summary>Lets code on a thread that runs no goroutine wait for something of this runtime: the continuation goes back to
    /// the thread's synchronization context, or to the thread pool.</summary>
    internal static Goroutine BranchForForeignThread(ref Action<object?> continuation, ref object? argument, bool useContext)
    {
        argument = new ForeignContinuation(continuation, argument, useContext ? SynchronizationContext.Current : null);
        continuation = static state => ((ForeignContinuation)state!).Run();
        return Default.RentBranch(null);
    }

    private sealed class ForeignContinuation(Action<object?> continuation, object? argument, SynchronizationContext? context)
    {
        public void Run()
        {
            if (context is not null)
                context.Post(new SendOrPostCallback(continuation), argument);
            else
                ThreadPool.UnsafeQueueUserWorkItem(continuation, argument, preferLocal: false);
        }
    }

    /// <summary>Takes leave of a goroutine that is dead.</summary>
    internal void Bury(Goroutine g)
    {
        if (g.Failure is { } failure)
            ReportUnhandled(failure, g);
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                if (!g.IsBranch)
                    p.LiveCount--;
                if (g.Reusable)
                    p.ReturnGoroutine(g);
                machine.Unpin(previous);
                return;
            }
            machine.Unpin(previous);
        }
        if (!g.IsBranch)
            Interlocked.Decrement(ref _liveElsewhere);
    }

    internal void ReportUnhandled(Exception e, Goroutine g)
    {
        var report = new UnhandledGoroutineException(
            $"Goroutine {g.Id}, spawned at {g.SpawnSite}, ended with an exception that nobody awaits: {e.GetType().Name}: {e.Message}", e);
        // On a thread of its own: this one is a machine's, in the scheduler's code, where a handler must neither block nor
        // throw; and there an exception is unhandled by the runtime's rules, whatever is on this stack.
        var thread = new Thread(() =>
        {
            if (UnhandledException is { } handler)
                handler(this, report);
            else
                throw report;
        })
        { Name = "netgo-unhandled" };
        thread.UnsafeStart();
    }

    // ---- Making ready ----

    /// <summary>Puts a parked goroutine back on a run queue; Go's goready. The caller alone holds the right to.</summary>
    /// <param name="g">The goroutine.</param>
    /// <param name="next">To be run next by this processor, in the time slice of the running one.</param>
    internal void Ready(Goroutine g, bool next)
    {
        g.MarkRunnable();
        Enqueue(g, next);
    }

    /// <summary>Puts a goroutine that is marked runnable on the queue of this thread's processor, else on the global one.</summary>
    internal void Enqueue(Goroutine g, bool next)
    {
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                p.Put(g, next);
                // Whoever makes another ready to run next is about to park, most often: waking a processor to steal that one
                // would only move it away from here. Should it compute on instead, sysmon wakes one.
                bool wake = !next || p.RunQueue.Count > 0;
                machine.Unpin(previous);
                if (wake)
                    WakeOne();
                return;
            }
            machine.Unpin(previous);
        }
        EnqueueGlobal(g);
    }

    private void EnqueueGlobal(Goroutine g)
    {
        GoroutineQueue one = default;
        one.PushBack(g);
        EnqueueGlobal(ref one);
    }

    internal void EnqueueGlobal(ref GoroutineQueue queue)
    {
        lock (_lock)
        {
            _global.PushBackAll(ref queue);
            Volatile.Write(ref _globalCount, _global.Count);
        }
        WakeOne();
    }

    internal bool HasGlobalWork => Volatile.Read(ref _globalCount) > 0;

    internal Goroutine? TakeOneOfGlobal()
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

    /// <summary>One goroutine to run, and this processor's share of the rest onto its ring, which is empty; Go's
    /// globrunqget.</summary>
    internal Goroutine? TakeShareOfGlobal(Processor processor)
    {
        if (!HasGlobalWork)
            return null;
        lock (_lock)
        {
            int share = Math.Min(_global.Count / _processors.Length + 1, MaxGlobalShare);
            Goroutine? first = _global.PopFront();
            while (--share > 0 && _global.PopFront() is { } g)
                processor.Put(g, next: false);
            Volatile.Write(ref _globalCount, _global.Count);
            return first;
        }
    }

    internal bool AnyOtherHasWork(Processor processor)
    {
        foreach (Processor other in _processors)
        {
            if (other != processor && other.HasLocalWork)
                return true;
        }
        return false;
    }

    internal void RefillFreeList(ref GoroutineQueue free, int count)
    {
        if (_freeList.Count == 0)
            return;
        lock (_lock)
        {
            while (count-- > 0 && _freeList.PopFront() is { } g)
                free.PushBack(g);
        }
    }

    internal void SpillFreeList(ref GoroutineQueue free, int count)
    {
        lock (_lock)
        {
            while (count-- > 0 && free.PopFront() is { } g)
                _freeList.PushBack(g);
        }
    }

    // ---- Idle processors and spinning machines ----

    internal bool IsIdle(Processor p) => _idle.IsIdle(p.Index);

    internal void SetIdle(Processor p) => _idle.Set(p.Index);

    /// <summary>False when it was not idle any more: who cleared it is about to wake its poller.</summary>
    internal bool ClearIdle(Processor p)
    {
        bool wasIdle = _idle.TryClear(p.Index);
        _sysmon.WakeIfAsleep();
        return wasIdle;
    }

    internal bool AllIdle => _idle.AllOf(_processors.Length);

    /// <summary>Wakes an idle processor to look for work, unless one is looking already; Go's wakep.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void WakeOne()
    {
        if (_idle.ShouldWake(_processors.Length))
            WakeOneSlow();
    }

    private void WakeOneSlow()
    {
        int index = _idle.TakeToWake(_processors.Length);
        if (index < 0)
            return;
        _sysmon.WakeIfAsleep();
        _processors[index].Poller.Wake();
    }

    /// <summary>Wakes this processor if it is idle. It starts out spinning.</summary>
    internal void WakeProcessor(Processor p)
    {
        if (!_idle.TryTakeToWake(p.Index))
            return;
        _sysmon.WakeIfAsleep();
        p.Poller.Wake();
    }

    /// <summary>At most half of the processors may look for work in others' queues at a time.</summary>
    internal bool TryBeginSpinning() => _idle.TryBeginSpinning(_processors.Length);

    internal void EndSpinning() => _idle.EndSpinning();

    // ---- Machines ----

    /// <summary>Gives a processor that no machine holds to one that has nothing to do, or to a new one; Go's startm.</summary>
    internal void StartMachine(Processor p)
    {
        Machine? machine;
        int id = 0;
        lock (_lock)
        {
            machine = _idleMachines;
            if (machine is not null)
                _idleMachines = machine.IdleLink;
            else
                id = ++_machinesMade;
        }
        if (machine is not null)
            machine.Resume(p);
        else
            new Machine(this, id, p).Start();
    }

    /// <summary>A machine without a processor waits until it gets one; Go's stopm. False: its thread shall end.</summary>
    internal bool WaitForProcessor(Machine machine, ManualResetEventSlim wake)
    {
        lock (_lock)
        {
            if (_stopping)
                return false;
            machine.IdleLink = _idleMachines;
            _idleMachines = machine;
        }
        if (!wake.Wait(s_idleMachineLifetime))
        {
            lock (_lock)
            {
                if (RemoveIdle(machine))
                    return false;
            }
            wake.Wait(); // taken off the list in the meantime: a processor is on its way
        }
        wake.Reset();
        return !_stopping;
    }

    private bool RemoveIdle(Machine machine)
    {
        Machine? before = null;
        for (Machine? m = _idleMachines; m is not null; before = m, m = m.IdleLink)
        {
            if (m != machine)
                continue;
            if (before is null)
                _idleMachines = m.IdleLink;
            else
                before.IdleLink = m.IdleLink;
            return true;
        }
        return false;
    }

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
        if (duration == Timeout.InfiniteTimeSpan || duration.Ticks > long.MaxValue / 200)
            return long.MaxValue;
        return Now() + Math.Max(0, duration.Ticks * 100);
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

    /// <summary>A seed (not 0) for a generator of pseudo-random numbers of one's own.</summary>
    internal static uint NewSeed() => (uint)Random.Shared.Next() | 1;

    // ---- Pollers ----

    /// <summary>Gives every processor a poller made by <paramref name="make"/>, unless it has been done. Netpoll's
    /// initialization; Go's netpollGenericInit.</summary>
    internal void AttachPollers(Func<int, IPoller> make)
    {
        lock (_lock)
        {
            if (_processors[0].AttachedPoller is not null)
                return;
            IPoller[] pollers = new IPoller[_processors.Length];
            for (int i = 0; i < pollers.Length; i++)
                pollers[i] = make(i);
            for (int i = 0; i < pollers.Length; i++)
                Volatile.Write(ref _processors[i].AttachedPoller, pollers[i]);
        }
        Interlocked.MemoryBarrier();
        foreach (Processor p in _processors)
        {
            if (IsIdle(p))
                WakeProcessor(p);
        }
    }

    /// <summary>Stops the scheduler's threads. Goroutines that have not ended never run again, so what they hold (a socket that
    /// one of them reads from, say) is not released: close listeners and connections, and let the goroutines end, first. Code
    /// that is running is not interrupted.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stopping)
                return;
            _stopping = true;
        }
        _sysmon.Stop();
        for (int attempt = 0; attempt < 500 && Array.Exists(_processors, p => p.Machine is not null); attempt++)
        {
            foreach (Processor p in _processors)
                p.Poller.Wake();
            Thread.Sleep(10);
        }
        Machine? idle;
        lock (_lock)
        {
            idle = _idleMachines;
            _idleMachines = null;
        }
        while (idle is not null)
        {
            Machine? next = idle.IdleLink;
            idle.Resume(null);
            idle = next;
        }
        if (Array.TrueForAll(_processors, p => p.Machine is null))
        {
            foreach (Processor p in _processors)
                p.Dispose();
        }
    }
}
