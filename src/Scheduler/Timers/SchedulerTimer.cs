namespace NetGo;

/// <summary>A timer of <see cref="SchedulerTimeProvider"/>: each time it comes due, its callback runs in a goroutine of its own.
/// As those of <see cref="System.TimeProvider.System"/> do, callbacks of one timer overlap when they are slow.</summary>
internal sealed class SchedulerTimer(GoScheduler scheduler, TimerCallback callback, object? state) : RestartableTimer(scheduler), ITimer
{
    private const long MaxMilliseconds = uint.MaxValue - 1;

    private static readonly Func<object?, Task> s_run = static timer => ((SchedulerTimer)timer!).RunAsync();
    private static readonly ContextCallback s_call = static timer => ((SchedulerTimer)timer!).Call();

    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    // Guarded by Gate.
    private bool _disposed;
    private int _running;
    private Channel<bool>? _idle;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        bool never = IsInfinite(dueTime, nameof(dueTime));
        bool once = IsInfinite(period, nameof(period));
        lock (Gate)
        {
            if (_disposed)
                return false;
            if (never)
                StopLocked();
            else
                ResetLocked(dueTime, once ? TimeSpan.Zero : period);
            return true;
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            _disposed = true;
            StopLocked();
        }
    }

    /// <summary>Completes when no callback runs any more. Not to be awaited by a callback that its own end waits for.</summary>
    public ValueTask DisposeAsync()
    {
        lock (Gate)
        {
            Dispose();
            if (_running == 0)
                return default;
            _idle ??= Channel.Make<bool>();
        }
        return WaitUntilClosedAsync(_idle);
    }

    private static async ValueTask WaitUntilClosedAsync(Channel<bool> channel) => await channel.ReceiveAsync();

    protected override void Expire(long late)
    {
        try
        {
            Scheduler.Spawn(s_run, this);
            _running++;
        }
        catch (ObjectDisposedException)
        {
            // The scheduler was stopped in the meantime: nothing runs any more.
        }
    }

    private Task RunAsync()
    {
        try
        {
            if (_context is null || _context == Machine.DefaultContext)
                Call();
            else
                ExecutionContext.Run(_context, s_call, this);
        }
        finally
        {
            Channel<bool>? idle;
            lock (Gate)
                idle = --_running == 0 ? _idle : null;
            idle?.Close();
        }
        return Task.CompletedTask;
    }

    private void Call() => callback(state);

    // As the system's timers have it: -1 ms is infinite, and what is less or beyond 2^32 - 2 ms is refused.
    private static bool IsInfinite(TimeSpan time, string name)
    {
        long milliseconds = (long)time.TotalMilliseconds;
        ArgumentOutOfRangeException.ThrowIfLessThan(milliseconds, -1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(milliseconds, MaxMilliseconds, name);
        return milliseconds == -1;
    }
}
