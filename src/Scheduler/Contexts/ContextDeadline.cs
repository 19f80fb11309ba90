namespace NetGo;

/// <summary>When a context ends: in a scheduler's time (ns), which counts, and in wall time, to be shown. Shared by the contexts
/// that have it from a parent.</summary>
internal sealed class ContextDeadline
{
    private ContextDeadline(GoScheduler scheduler, long time, DateTimeOffset wallTime)
    {
        Scheduler = scheduler;
        Time = time;
        WallTime = wallTime;
    }

    public GoScheduler Scheduler { get; }

    public long Time { get; }

    public DateTimeOffset WallTime { get; }

    public bool HasPassed => Time <= Scheduler.Now();

    /// <summary>Null when that is never.</summary>
    public static ContextDeadline? After(GoScheduler scheduler, TimeSpan timeout)
    {
        return timeout == Timeout.InfiniteTimeSpan ? null : In(scheduler, timeout, scheduler.Clock.GetUtcNow());
    }

    /// <summary>Null when that is never.</summary>
    public static ContextDeadline? At(GoScheduler scheduler, DateTimeOffset wallTime)
    {
        DateTimeOffset now = scheduler.Clock.GetUtcNow();
        return In(scheduler, wallTime - now, now);
    }

    private static ContextDeadline? In(GoScheduler scheduler, TimeSpan left, DateTimeOffset now)
    {
        if (left < TimeSpan.Zero)
            left = TimeSpan.Zero;
        long time = scheduler.TimeAfter(left);
        return time == long.MaxValue ? null : new ContextDeadline(scheduler, time, now + left);
    }

    /// <summary>Whether a context that has this deadline needs none of <paramref name="other"/>. Times of two schedulers' clocks
    /// cannot be compared: then both are needed.</summary>
    public bool IsNoLaterThan(ContextDeadline other) => Scheduler == other.Scheduler && Time <= other.Time;
}
