namespace NetGo;

public sealed partial class GoScheduler
{
    private SchedulerTimeProvider? _timeForOthers;

    /// <summary>The scheduler's clock, with timers whose callbacks run as goroutines: for <c>Task.Delay</c>,
    /// <see cref="PeriodicTimer"/>, <see cref="CancellationTokenSource"/> and whatever else takes a
    /// <see cref="System.TimeProvider"/>, so that it keeps the same time as the goroutines do. Its timestamps are
    /// nanoseconds.</summary>
    public TimeProvider TimeProvider
    {
        get
        {
            if (Volatile.Read(ref _timeForOthers) is { } made)
                return made;
            var mine = new SchedulerTimeProvider(this);
            return Interlocked.CompareExchange(ref _timeForOthers, mine, null) ?? mine;
        }
    }
}
