using System.Runtime.CompilerServices;

namespace NetGo;

// How goroutines begin and end.
public sealed partial class GoScheduler
{
    private const int GoroutineIdBatch = 16;

    private long _lastGoroutineId;
    private long _liveElsewhere;

    /// <summary>The number of goroutines that exist; Go's NumGoroutine. Exact while nothing is spawned or ends.</summary>
    public long GoroutineCount
    {
        get
        {
            long count = Volatile.Read(ref _liveElsewhere);
            foreach (Processor p in _allProcessors)
                count += Volatile.Read(ref p.LiveCount);
            return count;
        }
    }

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
        // Its continuations need not be forced off this thread: whoever awaits it in another goroutine gets a post, and nobody's
        // code runs inline where a SynchronizationContext is current.
        var result = new TaskCompletionSource<T>(OwnTask.Marker);
        SpawnCore(
            async () =>
            {
                try
                {
                    result.SetResult(await body());
                }
                catch (OperationCanceledException e)
                {
                    // With the exception itself, as an async method does; SetCanceled would make another.
                    var canceled = AsyncTaskMethodBuilder<T>.Create();
                    canceled.SetException(e);
                    result.SetFromTask(canceled.Task);
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
                p.Counts.Spawns++;
                g.Prepare(p.NextGoroutineId(), body, state, file, line);
                Observer?.Spawned(g);
                p.Put(g, next: true);
                machine.Unpin(previous);
                WakeOne();
                return;
            }
            machine.Unpin(previous);
        }
        Goroutine stray = MakeGoroutine(Environment.CurrentManagedThreadId);
        Interlocked.Increment(ref _liveElsewhere);
        Interlocked.Increment(ref _spawnedElsewhere);
        stray.Prepare(ReserveGoroutineIds().First, body, state, file, line);
        Observer?.Spawned(stray);
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
            g = machine.Pin(out int previous)?.RentGoroutine() ?? MakeGoroutine(machine.Id);
            machine.Unpin(previous);
        }
        else
        {
            g = MakeGoroutine(Environment.CurrentManagedThreadId);
        }
        g.PrepareBranch(root);
        Observer?.Spawned(g);
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

    private sealed class ForeignContinuation(Action<object?> continuation, object? argument, SynchronizationContext? context) : IContinuationWrapper
    {
        public object? Argument => argument;

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
        Observer?.Ended(g);
        if (g.IsLocked)
            g.WiredTo!.LockedGoroutineEnded();
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                if (!g.IsBranch)
                    p.LiveCount--;
                if (g.Reusable)
                    p.ReturnGoroutine(g);
                else
                    Drop(g);
                machine.Unpin(previous);
                return;
            }
            machine.Unpin(previous);
        }
        if (!g.IsBranch)
            Interlocked.Decrement(ref _liveElsewhere);
        Drop(g);
    }

    private void Drop(Goroutine g)
    {
        g.ClearForDrop();
        _registry.Drop(g);
    }

    internal void ReportUnhandled(Exception e, Goroutine g) => Report(new UnhandledGoroutineException(
        $"Goroutine {g.Id}, spawned at {g.SpawnSite}, ended with an exception that nobody awaits: {e.GetType().Name}: {e.Message}", e));

    internal void Report(UnhandledGoroutineException report)
    {
        if (_simulation is not null)
        {
            _simulation.Unhandled(report);
            return;
        }
        // On a thread of its own: this one is a machine's, in the scheduler's code, where a handler must neither block nor
        // throw; and there an exception is unhandled by the runtime's rules, whatever is on this stack.
        try
        {
            new Thread(() => Raise(report)) { Name = "netgo-unhandled" }.UnsafeStart();
        }
        catch (OutOfMemoryException)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => Raise(report), null); // the system has no thread for us
        }
    }

    private void Raise(UnhandledGoroutineException report)
    {
        if (UnhandledException is { } handler)
            handler(this, report);
        else
            throw report;
    }
}
