using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// A machine: an operating-system thread that runs goroutines while it holds a processor. Go's m. How it can lose the processor
// while it runs user code, and how it notices, is in ProcessorSlot.cs; how it waits for one, in GoScheduler.Machines.cs.
internal sealed partial class Machine
{
    /// <summary>How long a goroutine may go on with operations that need not wait, at least, in ticks of
    /// <see cref="Stopwatch"/>: 200 us.</summary>
    private static readonly long s_leastSlice = Stopwatch.Frequency / 5_000;

    [ThreadStatic]
    private static Machine? t_machine;

    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);

    private ProcessorSlot _slot = new(null);
    private Goroutine? _current;
    private bool _spinning;
    private Goroutine? _running;
    private int _budget;

    // Those of the processor that it holds, or held last: they are reached without a detour by way of it.
    private BufferCache? _buffers;

    // When the budget was first used up in this slice; 0 when it has not been.
    private long _budgetSince;

    // What Resume leaves for the thread to find.
    private Processor? _next;

    public Machine(GoScheduler scheduler, int id)
    {
        Scheduler = scheduler;
        Id = id;
    }

    /// <summary>The machine of the calling thread; null on a thread that isn't one.</summary>
    public static Machine? OfThisThread => t_machine;

    /// <summary>The execution context that a machine's thread has between goroutines: the empty one.</summary>
    public static ExecutionContext? DefaultContext { get; private set; }

    public GoScheduler Scheduler { get; }

    public int Id { get; }

    /// <summary>Its thread has ended, or is about to and touches nothing any more.</summary>
    public volatile bool HasEnded;

    /// <summary>Of its thread. Set before the machine first runs user code.</summary>
    public ThreadClock Clock { get; private set; } = null!;

    /// <summary>The goroutine that the code running now belongs to; null once it has parked.</summary>
    public Goroutine? Current => _current;

    /// <summary>The number of the goroutine that the code running now belonged to at first.</summary>
    public long RunningId => _running?.Id ?? 0;

    /// <summary>The next in the scheduler's list of machines without work. Guarded by the scheduler's lock.</summary>
    public Machine? IdleLink;

    /// <summary>Starts its thread, which waits for <see cref="Resume"/>.</summary>
    /// <exception cref="OutOfMemoryException">The system has no more threads.</exception>
    public void Start()
    {
        var thread = new Thread(Main) { IsBackground = true, Name = $"netgo-m{Id}" };
        thread.UnsafeStart();
    }

    // ---- Waiting for a processor ----

    /// <summary>Ends the wait of a machine without a processor. The caller alone has the right to.</summary>
    /// <param name="processor">For the machine; null to make it look around.</param>
    public void Resume(Processor? processor)
    {
        if (processor is not null)
            _next = processor;
        _wake.Set();
    }

    /// <summary>The machine's own thread, without a processor: waits for <see cref="Resume"/>. False when it did not come in
    /// time.</summary>
    public bool WaitToResume(TimeSpan timeout)
    {
        if (!_wake.Wait(timeout))
            return false;
        _wake.Reset();
        Processor? next = _next;
        _next = null;
        if (next is not null)
        {
            _slot.Give(next);
            _buffers = next.Buffers;
            RefillBudget();
            Scheduler.Observer?.ProcessorStarts(next, this);
        }
        return true;
    }

    // ---- Using the processor from user code ----

    /// <summary>The processor, for use until <see cref="Unpin"/> with <paramref name="previous"/>; null when it was handed
    /// off. Nests.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Processor? Pin(out int previous) => _slot.Pin(out previous);

    /// <summary>As <see cref="Pin"/>: the processor's buffers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public BufferCache? PinBuffers(out int previous) => _slot.Pin(out previous) is null ? null : _buffers;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Unpin(int previous) => _slot.Unpin(previous);

    /// <summary>Sysmon: takes the processor of a machine that runs user code. False when it is using it, or has another.</summary>
    public bool TryTakeProcessor(Processor expected)
    {
        if (!_slot.TryTake(expected))
            return false;
        Volatile.Write(ref _budget, 0); // without a processor it shall not run on for long
        return true;
    }

    public bool IsPinned => _slot.IsPinned;

    /// <summary>The goroutine of the running code, which thereby loses it; a new branch when it has lost it already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Goroutine TakeCurrent()
    {
        Goroutine? g = _current;
        if (g is null)
            return Scheduler.RentBranch(_running);
        _current = null;
        return g;
    }

    // ---- The budget ----

    /// <summary>To be called by each operation that could park and need not: takes one from what the goroutine may do without
    /// parking in this slice. True when nothing is left: the operation shall complete by way of a yield, so that a goroutine for
    /// which everything is always ready lets the others run. Go has preemption for that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool SpendBudget() => t_machine is { } machine && --machine._budget < 0 && machine.HasNoMoreBudget();

    // A hundred operations may be one microsecond or a thousand: the budget is filled again until the slice has lasted for a while.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool HasNoMoreBudget()
    {
        bool lostProcessor = Pin(out int previous) is null;
        Unpin(previous);
        if (lostProcessor || Scheduler.Simulation is not null)
            return true;
        long now = Stopwatch.GetTimestamp();
        if (_budgetSince == 0)
            _budgetSince = now;
        else if (now - _budgetSince > s_leastSlice)
            return true;
        _budget = Scheduler.NextBudget();
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RefillBudget()
    {
        _budget = Scheduler.NextBudget();
        _budgetSince = 0;
    }

    // ---- The loop ----

    private void Main()
    {
        t_machine = this;
        DefaultContext ??= ExecutionContext.Capture();
        Clock = ThreadClock.OfCallingThread();
        bool goesOn = Scheduler.WaitReserved(this);
        while (goesOn)
            goesOn = RunOne();
        Leave();
        t_machine = null;
        Scheduler.MachineEnded(this);
        HasEnded = true;
        if (Scheduler.IsStopping)
            Scheduler.ReleaseProcessors();
    }

    /// <summary>Runs goroutines on the calling thread, whatever else it is, until the scheduler stops. For simulations.</summary>
    public void RunHere(Processor processor)
    {
        Machine? outer = t_machine;
        SynchronizationContext? outerSynchronization = SynchronizationContext.Current;
        ExecutionContext? outerContext = ExecutionContext.Capture();
        t_machine = this;
        ExecutionContext.Restore(DefaultContext ??= EmptyContext());
        processor.Machine = this;
        _slot.Give(processor);
        _buffers = processor.Buffers;
        try
        {
            while (RunOne())
            {
            }
        }
        finally
        {
            Leave();
            t_machine = outer;
            if (outerContext is not null)
                ExecutionContext.Restore(outerContext);
            SynchronizationContext.SetSynchronizationContext(outerSynchronization);
        }
    }

    // That of a thread on which nothing has run yet. There is no other way to get at it.
    private static ExecutionContext EmptyContext()
    {
        ExecutionContext? empty = null;
        var thread = new Thread(() => empty = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return empty!;
    }

    private void Leave()
    {
        if (_slot.GiveUp() is { } last)
            last.Machine = null;
    }

    // A method of its own, so that the runtime can replace it by optimized code: the loop above never returns. False when the
    // thread shall end.
    private bool RunOne()
    {
        Processor? processor = _slot.Get();
        if (_isLocked || _endsWithGoroutine)
            return RunLocked(processor);
        if (processor is null)
            return Scheduler.WaitForProcessor(this);
        if (Scheduler.BindsMachines && processor != _boundTo)
            BindTo(processor);
        Goroutine? g = FindRunnable(processor);
        if (g is null)
            return !Scheduler.IsStopping; // it has no processor any more
        if (g.IsWired)
            BringToWired(processor, g);
        else
            Execute(processor, g);
        return true;
    }

    private void Execute(Processor processor, Goroutine g)
    {
        _current = g;
        _running = g.Root ?? g;
        processor.Counts.Runs++;
        if (!processor.InheritsSlice)
            RefillBudget();
        Scheduler.Observer?.Runs(g, processor);
        SynchronizationContext.SetSynchronizationContext(_running);
        _slot.Unpin(0);
        try
        {
            g.Run(this);
        }
        catch (Exception e)
        {
            // Async code keeps its exceptions in its tasks: this is an async void method's, or a bug here.
            Scheduler.ReportUnhandled(e, g);
        }
        RunDeferred(); // before it is pinned: a log may be written there
        _slot.Pin(out _);
        if (ExecutionContext.Capture() != DefaultContext && DefaultContext is { } context)
            ExecutionContext.Restore(context);
        // Whoever parked is not ours any more, and may be running elsewhere.
        if (_current == g && g.EndRun())
            Scheduler.Bury(g);
        _current = null;
    }
}
