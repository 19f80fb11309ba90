using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace NetGo;

// A goroutine: what runs, parks and is made ready. Go's g.
//
// Its stack is whatever the async method keeps in its state machine; what is kept here is the continuation to call next.
//
// Its states, and who may move it, are in GoroutineState.cs.
//
// Park publishes the goroutine while the frames below it still have to return: another machine may run it on before they
// have. That is how async code always resumes, and it means that after Park the machine must not touch the goroutine: it
// asks Machine.Current, which Park has set to null. When code goes on running after a Park (it called an async method and
// has not awaited it yet), it has no goroutine any more; should it park again, it gets a new one (a branch).
// A branch has no body: it ends when its code returns without parking. Foreign awaits on it are posted to its root.
//
// The body's task is known when the body first returns, which may be after the goroutine has parked and even run to its
// end elsewhere. Body is therefore written once, by compare-and-swap from null; a machine that needs it first leaves
// s_bodyWanted, and the one that starts the body then finishes the job.
//
// The objects are listed by the scheduler's GoroutineRegistry, from when they are made. Who goes over that list reads them while they run, end
// and are used again (Goroutine.Description.cs).
//
// A goroutine that has been in Waiting(T), or was posted to, may still be known to a foreign awaiter: it is never reused. One
// whose body has ended while an async method that it did not await goes on (`_ = FooAsync()`) may be: what is posted to it
// then runs as a branch of, or in place of, whoever has the object now. That is sound, only the identity is another's.
internal sealed partial class Goroutine : SynchronizationContext, IValueTaskSource
{
    /// <summary>What <see cref="_target"/> is.</summary>
    private enum Entry : byte
    {
        /// <summary>An <c>Action&lt;object?&gt;</c>: the continuation of an await.</summary>
        Continuation,

        /// <summary>A <see cref="SendOrPostCallback"/>: the continuation of an await of something foreign.</summary>
        Callback,

        /// <summary>A <c>Func&lt;Task&gt;</c>: a body that has not begun.</summary>
        Body,

        /// <summary>A <c>Func&lt;object?, Task&gt;</c> with its argument.</summary>
        BodyWithState,

        /// <summary>An <see cref="Action"/>: a body that cannot park.</summary>
        SynchronousBody,

        /// <summary>One of the three, to be begun in the <see cref="ExecutionContext"/> of the spawner; the argument says all.</summary>
        BodyInContext,
    }

    private enum Operation : byte
    {
        None,
        Yield,
        Sleep,

        /// <summary>One of the two has been awaited and its result not yet taken.</summary>
        Awaited,
    }

    private static readonly Task s_bodyWanted = new(static () => { });

    private GoroutineState _state;
    private Entry _entry;
    private Operation _operation;
    private short _operationToken;
    private int _spawnLine;
    private bool _completionHooked;
    private bool _neverReuse;
    private bool _isBranch;
    private bool _isWired;

    /// <summary>Since when it has waited, as a scan has seen it (GoroutineScan.cs); 0 while none has.</summary>
    private uint _waitStamp;

    private Delegate? _target;
    private object? _argument;
    // The task of the body, null while it is not known; of a branch its root, null when it has none. They share the place, for there may be a
    // million of these.
    private object? _bodyOrRoot;
    private string? _spawnFile;
    private GoroutineExtras? _extras;

    internal Goroutine(GoScheduler scheduler) => Scheduler = scheduler;

    internal GoScheduler Scheduler { get; }

    /// <summary>The next on the queue or free list that it is on.</summary>
    internal Goroutine? SchedLink;

    /// <summary>The next in the registry. Belongs to it, as the two below do.</summary>
    internal Goroutine? RegistryLink;

    /// <summary>Where in the registry it is.</summary>
    internal byte RegistryShard;

    /// <summary>The goroutine that this one branched off from; null for one that was spawned.</summary>
    internal Goroutine? Root => _isBranch ? _bodyOrRoot as Goroutine : null;

    /// <summary>A number unique within its scheduler. A branch has its root's.</summary>
    internal long Id { get; private set; }

    internal GoroutineStatus Status => _state.Status;

    internal WaitReason WaitReason => _state.WaitReason;

    /// <summary>Where it was spawned: "file:line".</summary>
    internal string SpawnSite => $"{Path.GetFileName(_spawnFile)}:{_spawnLine}";

    internal string? SpawnFile => _spawnFile;

    internal int SpawnLine => _spawnLine;

    /// <summary>The argument of what goes on when it is made ready: mostly an async method's state machine in its box.</summary>
    internal object? ParkedFor => _argument;

    internal bool Reusable => !_neverReuse;

    internal bool IsBranch => _isBranch;

    /// <summary>What most goroutines never need.</summary>
    internal GoroutineExtras Extras => _extras ?? Interlocked.CompareExchange(ref _extras, new GoroutineExtras(this), null) ?? _extras;

    /// <summary>It may run on one machine only, <see cref="WiredTo"/>.</summary>
    internal bool IsWired => _isWired;

    internal Machine? WiredTo
    {
        get => _extras?.WiredTo;
        set
        {
            if (value != WiredTo)
                Extras.WiredTo = value;
            _isWired = value is not null;
        }
    }

    /// <summary>It has called LockOSThread and not undone it.</summary>
    internal bool IsLocked => _isWired && _extras!.LockCount > 0;

    /// <summary>When it should have run, by the scheduler's clock; null when it has no deadline. A branch has its root's.</summary>
    internal long? Deadline => (Root ?? this)._extras is { Deadline: not long.MaxValue } extras ? extras.Deadline : null;

    // ---- Spawning ----

    internal void Prepare(long id, Delegate body, object? argument, string file, int line)
    {
        Id = id;
        Volatile.WriteBarrier(); // for who reads the rest of it and then asks again who it is
        _spawnFile = file;
        _spawnLine = line;
        _bodyOrRoot = null;
        _completionHooked = false;
        _entry = body switch
        {
            Func<Task> => Entry.Body,
            Func<object?, Task> => Entry.BodyWithState,
            Action => Entry.SynchronousBody,
            _ => throw new UnreachableException(),
        };
        _target = body;
        _argument = argument;
        ExecutionContext? context = ExecutionContext.Capture();
        if (context is not null && context != Machine.DefaultContext)
        {
            _argument = new BodyInContext(context, _entry, body, argument);
            _entry = Entry.BodyInContext;
        }
        Volatile.WriteBarrier();
        _state.Set(GoroutineStatus.Runnable);
    }

    /// <summary>Makes it a branch of <paramref name="root"/>, to be parked or posted to at once.</summary>
    internal void PrepareBranch(Goroutine? root)
    {
        root = root?.Root ?? root;
        Id = root?.Id ?? 0;
        Volatile.WriteBarrier();
        _spawnFile = root?._spawnFile;
        _spawnLine = root?._spawnLine ?? 0;
        _bodyOrRoot = root;
        _isBranch = true;
        _waitStamp = 0;
        if (root is { IsLocked: true })
            WiredTo = root.WiredTo;
        Volatile.WriteBarrier();
        _state.Set(GoroutineStatus.Running);
    }

    private sealed class BodyInContext(ExecutionContext context, Entry entry, Delegate body, object? argument)
    {
        private Task? _result;

        public Task Start()
        {
            ExecutionContext.Run(context, static state => ((BodyInContext)state!).StartHere(), this);
            return _result!;
        }

        private void StartHere() => _result = Invoke(entry, body, argument);
    }

    // ---- Running: called by the machine that took it from a queue ----

    /// <summary>Runs it until it parks, ends, or awaits something foreign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Run(Machine machine)
    {
        _state.Set(GoroutineStatus.Running);
        _waitStamp = 0;
        Delegate target = _target!;
        object? argument = _argument;
        _target = null;
        _argument = null;
        if (_entry == Entry.Continuation)
            Unsafe.As<Action<object?>>(target)(argument);
        else
            RunRare(machine, target, argument);
    }

    private void RunRare(Machine machine, Delegate target, object? argument)
    {
        switch (_entry)
        {
            case Entry.Callback:
                Unsafe.As<SendOrPostCallback>(target)(argument);
                break;
            default:
                StartBody(machine, _entry, target, argument);
                break;
        }
    }

    private void StartBody(Machine machine, Entry entry, Delegate target, object? argument)
    {
        Task body = Invoke(entry, target, argument);
        if (machine.Current == this)
        {
            _bodyOrRoot = body;
            return;
        }
        // It has parked, and may be running elsewhere by now.
        if (Interlocked.CompareExchange(ref _bodyOrRoot, body, null) is null)
            return;
        // It has even come to an end elsewhere, where the body's task was wanted. Nobody can have finished it, so it is
        // still ours to finish.
        Volatile.Write(ref _bodyOrRoot, body);
        _completionHooked = true;
        HookCompletion(body);
    }

    private static Task Invoke(Entry entry, Delegate target, object? argument)
    {
        try
        {
            switch (entry)
            {
                case Entry.Body:
                    return Unsafe.As<Func<Task>>(target)() ?? Task.CompletedTask;
                case Entry.BodyInContext:
                    return ((BodyInContext)argument!).Start();
                case Entry.BodyWithState:
                    return Unsafe.As<Func<object?, Task>>(target)(argument) ?? Task.CompletedTask;
                default:
                    Unsafe.As<Action>(target)();
                    return Task.CompletedTask;
            }
        }
        catch (Exception e)
        {
            return Task.FromException(e);
        }
    }

    /// <summary>Called by the machine when the code has returned and the goroutine is still its current one: it did not park.
    /// True when the goroutine has ended and is the caller's to bury.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool EndRun()
    {
        if (!_isBranch && Volatile.Read(ref _bodyOrRoot) is { } known && known != s_bodyWanted && Unsafe.As<Task>(known).IsCompleted)
        {
            _state.Set(GoroutineStatus.Dead);
            return true;
        }
        return EndRunIncomplete();
    }

    private bool EndRunIncomplete()
    {
        if (_isBranch)
        {
            _state.Set(GoroutineStatus.Dead);
            return true;
        }
        _neverReuse = true;
        var body = Unsafe.As<Task?>(Interlocked.CompareExchange(ref _bodyOrRoot, s_bodyWanted, null));
        if (body is not null && body != s_bodyWanted && !_completionHooked)
        {
            _completionHooked = true;
            HookCompletion(body);
        }
        Scheduler.Observer?.Parks(this, WaitReason.Task);
        _state.ParkForTask();
        // From here a Post may have it. The body may have completed (and the hook have run in vain) before the exchange.
        body = Unsafe.As<Task?>(Volatile.Read(ref _bodyOrRoot));
        return body is not null && body != s_bodyWanted && body.IsCompleted && TryKill();
    }

    private bool TryKill() => _state.TryTakeFromTask(GoroutineStatus.Dead);

    // In this goroutine's own context: completed elsewhere, the hook comes back as a post, and the end of that run sees it.
    private void HookCompletion(Task body) =>
        body.GetAwaiter().UnsafeOnCompleted(() =>
        {
            // When it is running, runnable or parked, the end of its run will see that the body has completed.
            if (TryKill())
                Scheduler.Bury(this);
        });

    /// <summary>The body's error once it is dead; null when it ended well.</summary>
    internal Exception? Failure => _bodyOrRoot is Task { IsFaulted: true } body ? body.Exception!.InnerException : null;

    internal void ClearForReuse()
    {
        _bodyOrRoot = null;
        _isBranch = false;
        _operation = Operation.None;
        if (_extras is not null)
            ClearExtras();
    }

    /// <summary>It goes to the garbage collector, which may not find it for a while.</summary>
    internal void ClearForDrop()
    {
        if (!_isBranch)
            _bodyOrRoot = null;
    }

    private void ClearExtras()
    {
        WiredTo = null;
        _extras!.Deadline = long.MaxValue;
        _extras.LockCount = 0;
    }

    // ---- Parking ----

    /// <summary>Parks the goroutine that runs on this thread until <see cref="GoScheduler.Ready(Goroutine, bool)"/>, and then
    /// calls <paramref name="continuation"/> on a machine. Go's gopark. The caller gives the result to exactly one waker, and
    /// must not touch it after that. On a thread that isn't a machine the continuation goes back to where it came from:
    /// the captured <see cref="SynchronizationContext"/>, or the thread pool.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Goroutine Park(
        Action<object?> continuation, object? argument, WaitReason reason,
        ValueTaskSourceOnCompletedFlags flags = ValueTaskSourceOnCompletedFlags.UseSchedulingContext)
    {
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
            FlowContext(ref continuation, ref argument);
        Goroutine g = Machine.OfThisThread is { } machine
            ? machine.TakeCurrent()
            : GoScheduler.BranchForForeignThread(ref continuation, ref argument, (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0);
        g.ParkWith(continuation, argument, reason);
        return g;
    }

    /// <summary>As <see cref="Park"/>, on a scheduler wherever the caller is: from a thread that is none of its machines too, the continuation is
    /// called on one of them.</summary>
    internal static Goroutine ParkOn(GoScheduler scheduler, Action<object?> continuation, object? argument, WaitReason reason)
    {
        Goroutine g = Machine.OfThisThread is { } machine && machine.Scheduler == scheduler ? machine.TakeCurrent() : scheduler.RentBranch(null);
        g.ParkWith(continuation, argument, reason);
        return g;
    }

    /// <summary>As <see cref="Park"/>, for code that will block its thread and keeps its goroutine, if it has one: parks another,
    /// whose only purpose is to call <paramref name="continuation"/>, on some machine of <paramref name="scheduler"/>.</summary>
    internal static Goroutine ParkAnother(
        GoScheduler scheduler, Action<object?> continuation, object? argument, WaitReason reason)
    {
        // Nobody's branch: one of a goroutine that has locked its thread would have to run on the very thread that blocks.
        Goroutine g = scheduler.RentBranch(null);
        g.ParkWith(continuation, argument, reason);
        return g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ParkWith(Action<object?> continuation, object? argument, WaitReason reason)
    {
        _entry = Entry.Continuation;
        _target = continuation;
        _argument = argument;
        Scheduler.Observer?.Parks(this, reason);
        _state.Park(reason);
    }

    // For an awaiter's OnCompleted. Async methods call UnsafeOnCompleted, and see to their context themselves.
    private static void FlowContext(ref Action<object?> continuation, ref object? argument)
    {
        if (ExecutionContext.Capture() is not { } context)
            return;
        argument = new ContinuationInContext(context, continuation, argument);
        continuation = static state => ((ContinuationInContext)state!).Run();
    }

    private sealed class ContinuationInContext(ExecutionContext context, Action<object?> continuation, object? argument) : IContinuationWrapper
    {
        public object? Argument => argument;

        public void Run() => ExecutionContext.Run(context, static state => ((ContinuationInContext)state!).RunHere(), this);

        private void RunHere() => continuation(argument);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void MarkRunnable()
    {
        _state.Set(GoroutineStatus.Runnable);
        Scheduler.Observer?.IsReady(this);
    }

    internal void EnterSyscall() => _state.Set(GoroutineStatus.Syscall);

    internal void ExitSyscall() => _state.Set(GoroutineStatus.Running);

    // ---- Foreign awaits: SynchronizationContext ----

    public override SynchronizationContext CreateCopy() => this;

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    /// <summary>Something foreign that was awaited here has completed. Never waits for the goroutine's own code, which may
    /// be blocked on the very thing: when it is not at rest the callback runs on a branch.</summary>
    public override void Post(SendOrPostCallback d, object? state)
    {
        Goroutine g = this;
        if (_state.TryTakeFromTask(GoroutineStatus.Runnable))
        {
            Scheduler.Observer?.IsReady(this);
        }
        else
        {
            _neverReuse = true;
            g = Scheduler.RentBranch(this);
            g.MarkRunnable();
        }
        g._entry = Entry.Callback;
        g._target = d;
        g._argument = state;
        Scheduler.Enqueue(g, next: false);
    }

    // ---- Yield and sleep: the goroutine is its own IValueTaskSource, so neither allocates ----

    internal ValueTask YieldAsync() => Begin(Operation.Yield, 0) ? new ValueTask(this, _operationToken) : new ValueTask(new WaitOperation(0), 0);

    internal ValueTask SleepAsync(long until) =>
        Begin(Operation.Sleep, until) ? new ValueTask(this, _operationToken) : new ValueTask(new WaitOperation(until), 0);

    // False when an earlier one has not been awaited yet: the rare caller then gets an object of its own.
    private bool Begin(Operation operation, long until)
    {
        if (_operation != Operation.None)
            return false;
        _operation = operation;
        if (until != 0)
            Extras.SleepUntil = until;
        _operationToken++;
        return true;
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token)
    {
        Check(token);
        return _operation == Operation.Awaited ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    void IValueTaskSource.GetResult(short token)
    {
        Check(token);
        if (_operation != Operation.Awaited)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        _operation = Operation.None;
        _operationToken++; // a second await of the same ValueTask is found out
    }

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        Operation operation = _operation;
        _operation = Operation.Awaited;
        if (operation == Operation.Sleep)
            StartSleep(_extras!.SleepUntil, continuation, state, flags);
        else
            StartYield(continuation, state, flags);
    }

    internal static void StartYield(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        Goroutine g = Park(continuation, state, WaitReason.Yield, flags);
        g.MarkRunnable();
        g.Scheduler.EnqueueYielding(g);
    }

    /// <summary>Gives way, and then calls <paramref name="continuation"/> on a machine of <paramref name="scheduler"/>.</summary>
    internal static void YieldOn(GoScheduler scheduler, Action<object?> continuation, object? argument)
    {
        Goroutine g = ParkOn(scheduler, continuation, argument, WaitReason.Yield);
        g.MarkRunnable();
        scheduler.EnqueueYielding(g);
    }

    internal static void StartSleep(long until, Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        Goroutine g = Park(continuation, state, WaitReason.Sleep, flags);
        GoScheduler scheduler = g.Scheduler;
        scheduler.TimersForThisThread().Start(g.Extras, until);
    }

    private void Check(short token)
    {
        if (token != _operationToken)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its operation had completed.");
    }
}
