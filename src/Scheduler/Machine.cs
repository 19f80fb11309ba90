using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// A machine: an operating-system thread that runs goroutines while it holds a processor. Go's m. How it can lose the processor
// while it runs user code, and how it notices, is in ProcessorSlot.cs.
internal sealed partial class Machine
{
    /// <summary>How many operations that need not park a goroutine may do in one slice.</summary>
    private const int OperationBudget = 128;

    [ThreadStatic]
    private static Machine? t_machine;

    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);

    private ProcessorSlot _slot;
    private Goroutine? _current;
    private bool _spinning;
    private Goroutine? _running;
    private int _budget;

    public Machine(GoScheduler scheduler, int id, Processor? processor)
    {
        Scheduler = scheduler;
        Id = id;
        _slot = new ProcessorSlot(processor);
        if (processor is not null)
            processor.Machine = this;
    }

    /// <summary>The machine of the calling thread; null on a thread that isn't one.</summary>
    public static Machine? OfThisThread => t_machine;

    /// <summary>The execution context that a machine's thread has between goroutines.</summary>
    public static ExecutionContext? DefaultContext { get; private set; }

    public GoScheduler Scheduler { get; }

    public int Id { get; }

    public ThreadClock Clock { get; private set; }

    /// <summary>The goroutine that the code running now belongs to; null once it has parked.</summary>
    public Goroutine? Current => _current;

    /// <summary>The next in the scheduler's list of machines without work. Guarded by the scheduler's lock.</summary>
    public Machine? IdleLink;

    public void Start()
    {
        var thread = new Thread(Main) { IsBackground = true, Name = $"netgo-m{Id}" };
        thread.UnsafeStart();
    }

    /// <summary>Gives a processor to a machine that waits for one. The caller has taken the machine off the idle list.</summary>
    public void Resume(Processor? processor)
    {
        if (processor is not null)
            processor.Machine = this;
        _slot.Give(processor);
        _wake.Set();
    }

    // ---- Using the processor from user code ----

    /// <summary>The processor, for use until <see cref="Unpin"/> with <paramref name="previous"/>; null when it was handed
    /// off. Nests.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Processor? Pin(out int previous) => _slot.Pin(out previous);

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
    public static bool SpendBudget() => t_machine is { } machine && --machine._budget < 0;

    // ---- The loop ----

    private void Main()
    {
        t_machine = this;
        DefaultContext ??= ExecutionContext.Capture();
        Clock = ThreadClock.OfCallingThread();
        while (RunOne())
        {
        }
        t_machine = null;
        if (_slot.GiveUp() is { } last)
            last.Machine = null;
    }

    // A method of its own, so that the runtime can replace it by optimized code: the loop above never returns.
    private bool RunOne()
    {
        Processor? processor = _slot.Get();
        if (processor is null)
            return Scheduler.WaitForProcessor(this, _wake);
        Goroutine? g = FindRunnable(processor);
        if (g is null)
            return false;
        Execute(processor, g);
        return true;
    }

    private void Execute(Processor processor, Goroutine g)
    {
        _current = g;
        _running = g.Root ?? g;
        processor.ScheduleTick++;
        if (!processor.InheritsSlice)
            _budget = OperationBudget;
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
        _slot.Pin(out _);
        if (ExecutionContext.Capture() != DefaultContext && DefaultContext is { } context)
            ExecutionContext.Restore(context);
        // Whoever parked is not ours any more, and may be running elsewhere.
        if (_current == g && g.EndRun())
            Scheduler.Bury(g);
        _current = null;
    }
}
