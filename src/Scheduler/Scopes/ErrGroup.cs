using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace NetGo;

/// <summary>Runs tasks and tells the first error among them; Go's errgroup.Group (golang.org/x/sync). Simpler than
/// <see cref="TaskScope"/>: no names, no results, no nesting, the other errors are dropped. For one use. All members may be used
/// from any thread.</summary>
/// <example><code>
/// ErrGroup group = ErrGroup.WithContext(ctx, out Context groupContext);
/// foreach (Uri uri in uris)
///     group.Go(() => FetchAsync(groupContext, uri));
/// await group.WaitAsync();
/// </code></example>
public sealed class ErrGroup
{
    private readonly CancelContext? _context;
    private readonly GoScheduler _scheduler = GoScheduler.Current;
    private readonly JoinCount _join = new();
    private readonly Slots _slots;
    private ExceptionDispatchInfo? _error;

    /// <summary>Makes a group that cancels nothing when a task fails.</summary>
    /// <param name="limit">See <see cref="SetLimit"/>.</param>
    public ErrGroup(int limit = -1)
        : this(null, limit)
    {
    }

    private ErrGroup(CancelContext? context, int limit)
    {
        _context = context;
        _slots = new Slots(limit);
    }

    /// <summary>Makes a group with a context; Go's errgroup.WithContext.</summary>
    /// <param name="parent">What the context derives from.</param>
    /// <param name="context">Done when a task has failed, with its exception as the cause, and at the latest when
    /// <see cref="WaitAsync"/> has seen the end of all.</param>
    /// <param name="limit">See <see cref="SetLimit"/>.</param>
    public static ErrGroup WithContext(Context parent, out Context context, int limit = -1)
    {
        CancelContext own = Context.WithCancel(parent);
        context = own;
        return new ErrGroup(own, limit);
    }

    /// <summary>Says how many tasks may run at a time; Go's SetLimit.</summary>
    /// <param name="limit">Negative for any number; with 0, none can be started.</param>
    /// <exception cref="InvalidOperationException">Tasks are running, or waiting to be started.</exception>
    public void SetLimit(int limit) => _slots.SetLimit(limit);

    /// <summary>Starts a task in a group without a limit; Go's Go, which cannot wait here.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <exception cref="InvalidOperationException">The group has a limit, or has ended.</exception>
    public void Go(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (_slots.IsLimited)
            throw new InvalidOperationException("The group has a limit, so a start may have to wait: use GoAsync, or TryGo.");
        _slots.TryTake();
        Start(body, file, line);
    }

    /// <summary>Starts a task once fewer than the limit run; Go's Go. Who waits longest is served first.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="cancellationToken">Withdraws the wait: the task is not started then.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>To be awaited at once. It completes when the task has been started, not when it has ended.</returns>
    /// <exception cref="InvalidOperationException">The group has ended.</exception>
#pragma warning disable CA1068 // the last parameter that is the caller's to give
    public ValueTask GoAsync(
        Func<Task> body, CancellationToken cancellationToken = default, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
#pragma warning restore CA1068
    {
        ArgumentNullException.ThrowIfNull(body);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (!_slots.TryTake())
            return WaitAndStartAsync(body, file, line, cancellationToken);
        Start(body, file, line);
        return Machine.SpendBudget() ? NetGo.Go.YieldAsync() : default;
    }

    /// <summary>Starts a task if fewer than the limit run; Go's TryGo.</summary>
    /// <param name="body">What it runs.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>Whether it was started.</returns>
    /// <exception cref="InvalidOperationException">The group has ended.</exception>
    public bool TryGo(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (!_slots.TryTake())
            return false;
        Start(body, file, line);
        return true;
    }

    /// <summary>Waits until all tasks have ended, those included that they start meanwhile, and throws what the first that failed
    /// threw, with its stack; Go's Wait. Nothing can be started after that.</summary>
    /// <param name="cancellationToken">Withdraws the wait, not the tasks.</param>
    public async ValueTask WaitAsync(CancellationToken cancellationToken = default)
    {
        await _join.WaitAsync(cancellationToken);
        _context?.Cancel();
        _error?.Throw();
    }

    private async ValueTask WaitAndStartAsync(Func<Task> body, string file, int line, CancellationToken cancellationToken)
    {
        await _slots.TakeAsync(cancellationToken);
        Start(body, file, line);
    }

    // With a slot, which is given back by the task.
    private void Start(Func<Task> body, string file, int line)
    {
        if (!_join.TryAdd())
        {
            _slots.Release();
            throw new InvalidOperationException("The group has ended: nothing can be started in it any more. Use a new one.");
        }
        try
        {
            _scheduler.Spawn(() => RunAsync(body), file, line);
        }
        catch
        {
            End();
            throw;
        }
    }

    private async Task RunAsync(Func<Task> body)
    {
        try
        {
            await body();
        }
        catch (Exception e)
        {
            if (Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(e), null) is null)
                CancelAfterError(e);
        }
        finally
        {
            End();
        }
    }

    private void CancelAfterError(Exception e)
    {
        try
        {
            _context?.Cancel(e);
        }
        catch (AggregateException)
        {
            // Of callbacks registered with the context's token. There is an error before these.
        }
    }

    private void End()
    {
        _slots.Release();
        _join.Release();
    }
}
