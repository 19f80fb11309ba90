using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace NetGo;

// How a scope ends:
//
//   failures     of tasks or the body: everything thrown, but for cancellations (see Ended) once the scope's context is done.
//                The first one ends the context, with itself as the cause; all are thrown together as a ScopeException
//   interrupted  no failure, but something ended with a cancellation:
//                  after the scope was canceled from outside: the context's error is thrown
//                  after Cancel was called on the scope itself: a quiet end
//   otherwise    a quiet end, even if the context is done: nobody minded
//
// The outcome is fixed by whoever sees first that all have ended. The scope's context is done from then on, as errgroup's is.

/// <summary>Runs tasks that cannot outlive it: leaving it means waiting for all that it has started. When one fails, the others
/// are canceled, and all failures are reported together. Structured concurrency, as in Kotlin's coroutineScope, Java's
/// StructuredTaskScope and Trio's nurseries; its tasks are goroutines. All members may be used from any thread.</summary>
/// <remarks><see cref="RunAsync(string, Context, Func{TaskScope, Task}, ILogger?)"/> sees when its body throws, so it is what
/// to use where a lambda fits. A scope made with <c>await using</c> cannot: its block is to end with <see cref="JoinAsync"/>,
/// and being left without it, by an exception or otherwise, cancels what still runs.</remarks>
/// <example><code>
/// int total = await TaskScope.RunAsync("fetch", ctx, async scope =>
/// {
///     scope.Go(() => ReportProgressAsync(scope.Context), "progress");
///     ScopeTask&lt;int&gt; left = scope.Run(() => FetchAsync(scope.Context, "left"), "left");
///     ScopeTask&lt;int&gt; right = scope.Run(() => FetchAsync(scope.Context, "right"), "right");
///     return await left + await right;
/// });
/// </code></example>
public sealed class TaskScope : IAsyncDisposable
{
    private readonly GoScheduler _scheduler = GoScheduler.Current;
    private readonly CancelContext _context;
    private readonly TaskPath _path;
    private readonly JoinCount _join = new();
    private readonly Lock _lock = new();

    // Guarded by _lock.
    private readonly List<ScopeFailure> _failures = [];
    private bool _interrupted;
    private bool _hasOutcome;
    private Exception? _canceledHere;

    private IDisposable? _loggerScope;
    private bool _interruptedFromOutside;
    private bool _reported;
    private int _lastNumber;

    /// <summary>Opens a scope within the path of the running code. To be left with <c>await using</c>, in the same
    /// method.</summary>
    /// <param name="name">Its name in paths.</param>
    /// <param name="context">Its end cancels the scope.</param>
    /// <param name="logger">Whose scopes carry the path as property TaskPath, in this method and in the tasks. Null for that of
    /// the enclosing scope.</param>
    public TaskScope(string name, Context context, ILogger? logger = null)
        : this(Checked(name), Context.WithCancel(context), logger)
    {
    }

    /// <inheritdoc cref="TaskScope(string, NetGo.Context, ILogger?)"/>
    /// <param name="name">Its name in paths.</param>
    /// <param name="cancellationToken">Cancels the scope.</param>
    /// <param name="logger">Whose scopes carry the path as property TaskPath, in this method and in the tasks. Null for that of
    /// the enclosing scope.</param>
    public TaskScope(string name, CancellationToken cancellationToken, ILogger? logger = null)
        : this(Checked(name), Context.FromToken(cancellationToken), logger)
    {
    }

    private TaskScope(string name, CancelContext own, ILogger? logger)
    {
        _context = own;
        TaskPath? outer = TaskPath.Current;
        _path = new TaskPath(outer, name, logger ?? outer?.Logger);
        TaskPath.Current = _path;
        _loggerScope = _path.BeginLoggerScope();
    }

    /// <summary>The names of the scopes and tasks that the running code is in, "root/fetch/part-3"; null outside of
    /// any.</summary>
    public static string? CurrentPath => TaskPath.Current?.ToString();

    /// <summary>Its name and those of the scopes and tasks that it is in.</summary>
    public string Path => _path.ToString();

    /// <summary>Done when something in the scope has failed, when it was canceled from within or without, and when it has
    /// ended: what its tasks are to heed. It derives from the context that the scope was made with.</summary>
    public Context Context => _context;

    /// <summary>The <see cref="Context.Token"/> of <see cref="Context"/>.</summary>
    public CancellationToken Token => _context.Token;

    // ---- Running all of it ----

    /// <summary>Opens a scope, runs a body in it, and waits for all that was started. A body that throws cancels the
    /// tasks.</summary>
    /// <param name="name">Its name in paths.</param>
    /// <param name="context">Its end cancels the scope.</param>
    /// <param name="body">Runs in the calling goroutine.</param>
    /// <param name="logger">See the constructor.</param>
    /// <exception cref="ScopeException">The body or tasks failed.</exception>
    /// <exception cref="ContextCanceledException">The scope was canceled from outside, and something in it stopped for
    /// that.</exception>
    /// <exception cref="ContextDeadlineExceededException">The same, by a deadline.</exception>
    public static async Task RunAsync(string name, Context context, Func<TaskScope, Task> body, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        await RunCoreAsync(new TaskScope(name, context, logger), async scope =>
        {
            await body(scope);
            return true;
        });
    }

    /// <summary>Opens a scope, runs a body in it, waits for all that was started, and returns the body's result. A body that
    /// throws cancels the tasks.</summary>
    /// <param name="name">Its name in paths.</param>
    /// <param name="context">Its end cancels the scope.</param>
    /// <param name="body">Runs in the calling goroutine.</param>
    /// <param name="logger">See the constructor.</param>
    /// <exception cref="ScopeException">The body or tasks failed.</exception>
    /// <exception cref="ContextCanceledException">The scope was canceled from outside, and something in it stopped for that; or
    /// from within, and the body has no result for that.</exception>
    /// <exception cref="ContextDeadlineExceededException">The scope's deadline has passed, and something in it stopped for
    /// that.</exception>
    public static async Task<T> RunAsync<T>(string name, Context context, Func<TaskScope, Task<T>> body, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        var scope = new TaskScope(name, context, logger);
        (bool hasResult, T? result) = await RunCoreAsync(scope, body);
        return hasResult ? result! : throw scope._context.NewError();
    }

    private static async Task<(bool HasResult, T? Result)> RunCoreAsync<T>(TaskScope scope, Func<TaskScope, Task<T>> body)
    {
        await using (scope)
        {
            bool hasResult = false;
            T? result = default;
            try
            {
                result = await body(scope);
                hasResult = true;
            }
            catch (Exception e)
            {
                scope.Ended(scope._path, e);
            }
            await scope.JoinAsync();
            return (hasResult, result);
        }
    }

    // ---- Starting ----

    /// <summary>Starts a task. It is started even if the scope has been canceled: what it was given to close, it can
    /// close.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="name">Its name in paths; null for a number.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <exception cref="InvalidOperationException">The scope has ended.</exception>
    public void Go(Func<Task> body, string? name = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        Start(body, PathOf(name), file, line);
    }

    /// <summary>Starts a task with a result. It is started even if the scope has been canceled.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="name">Its name in paths; null for a number.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <exception cref="InvalidOperationException">The scope has ended.</exception>
    public ScopeTask<T> Run<T>(
        Func<Task<T>> body, string? name = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        TaskPath path = PathOf(name);
        var task = new ScopeTask<T>(path.ToString());
        Start(
            async () =>
            {
                try
                {
                    task.Complete(await body());
                }
                catch (Exception e)
                {
                    Ended(path, e); // first, so that who awaits the task finds the scope canceled
                    task.Fail(e);
                }
            },
            path, file, line);
        return task;
    }

    // Before a context is derived, which would stay with its parent.
    private static string Checked(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name;
    }

    private TaskPath PathOf(string? name) =>
        new(_path, name ?? $"{Interlocked.Increment(ref _lastNumber)}", _path.Logger);

    private void Start(Func<Task> body, TaskPath path, string file, int line)
    {
        if (!_join.TryAdd())
            throw new InvalidOperationException($"Scope {Path} has ended: nothing can be started in it any more.");
        try
        {
            _scheduler.Spawn(() => RunTaskAsync(body, path), file, line);
        }
        catch
        {
            _join.Release();
            throw;
        }
    }

    private async Task RunTaskAsync(Func<Task> body, TaskPath path)
    {
        try
        {
            TaskPath.Current = path;
            using IDisposable? loggerScope = path.BeginLoggerScope();
            await body();
        }
        catch (Exception e)
        {
            Ended(path, e);
        }
        finally
        {
            _join.Release();
        }
    }

    // ---- Ending ----

    /// <summary>Cancels the scope: its tasks are told by <see cref="Context"/> to stop. That they do is no failure.</summary>
    /// <param name="cause">The <see cref="Context.Cause"/>.</param>
    /// <exception cref="AggregateException">What callbacks registered with the <see cref="Token"/> threw. All have been
    /// called.</exception>
    public void Cancel(Exception? cause = null)
    {
        Exception err;
        lock (_lock)
            err = _canceledHere ??= ContextCanceledException.For(cause, default);
        _context.Finish(err, cause);
    }

    /// <summary>Waits until all tasks have ended, those included that they start meanwhile, and ends the scope. Not for
    /// its tasks, which would wait for themselves.</summary>
    /// <param name="cancellationToken">Withdraws the wait, not the tasks.</param>
    /// <exception cref="ScopeException">The body or tasks failed.</exception>
    /// <exception cref="ContextCanceledException">The scope was canceled from outside, and something in it stopped for
    /// that.</exception>
    /// <exception cref="ContextDeadlineExceededException">The same, by a deadline.</exception>
    public async ValueTask JoinAsync(CancellationToken cancellationToken = default)
    {
        await _join.WaitAsync(cancellationToken);
        FixOutcome();
        ThrowIfFailed();
        if (_interruptedFromOutside)
            throw _context.NewError();
    }

    /// <summary>Leaves the scope. After <see cref="JoinAsync"/> there is nothing to do. Without it, the scope is canceled and
    /// waited for, and tasks that have failed are reported; the exception by which the block is being left is lost
    /// then.</summary>
    /// <exception cref="ScopeException">Tasks failed, and it has not been thrown yet.</exception>
    public ValueTask DisposeAsync()
    {
        // Here, in the caller's flow, where the constructor began them; an async method's would not come back.
        if (TaskPath.Current == _path)
            TaskPath.Current = _path.Parent;
        Interlocked.Exchange(ref _loggerScope, null)?.Dispose();
        return _reported ? default : LeaveAsync();
    }

    private async ValueTask LeaveAsync()
    {
        if (!_join.HasEnded)
            CancelAndKeepFailures(null);
        await _join.WaitAsync(CancellationToken.None);
        FixOutcome();
        if (!_reported)
            ThrowIfFailed();
    }

    /// <summary>The body or a task has thrown.</summary>
    private void Ended(TaskPath path, Exception e)
    {
        lock (_lock)
        {
            if (_context.IsDone && e is OperationCanceledException or ContextDeadlineExceededException)
            {
                _interrupted = true;
                return;
            }
            // A body that awaits a task throws what that has thrown.
            if (_failures.Exists(failure => failure.Exception == e))
                return;
            _failures.Add(new ScopeFailure(path.ToString(), e));
        }
        CancelAndKeepFailures(e);
    }

    private void CancelAndKeepFailures(Exception? cause)
    {
        try
        {
            Cancel(cause);
        }
        catch (AggregateException callbacks)
        {
            // Of those that users have registered with the token.
            lock (_lock)
                _failures.AddRange(callbacks.InnerExceptions.Select(callback => new ScopeFailure(Path, callback)));
        }
    }

    private void FixOutcome()
    {
        lock (_lock)
        {
            if (_hasOutcome)
                return;
            _hasOutcome = true;
            _interruptedFromOutside = _interrupted && _context.Err != _canceledHere;
        }
        CancelAndKeepFailures(null); // the outside keeps it no longer
    }

    private void ThrowIfFailed()
    {
        ScopeFailure[] failures;
        lock (_lock)
        {
            _reported = true;
            failures = [.. _failures];
        }
        if (failures.Length > 0)
            throw new ScopeException(Path, failures);
    }
}
