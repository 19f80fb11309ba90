namespace NetGo;

/// <summary>A scheduler's clock and timers for code that takes a <see cref="System.TimeProvider"/>.</summary>
internal sealed class SchedulerTimeProvider(GoScheduler scheduler) : TimeProvider
{
    public override long TimestampFrequency => 1_000_000_000;

    public override TimeZoneInfo LocalTimeZone => scheduler.Clock.LocalTimeZone;

    public override long GetTimestamp() => scheduler.Now();

    public override DateTimeOffset GetUtcNow() => scheduler.Clock.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new SchedulerTimer(scheduler, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}
