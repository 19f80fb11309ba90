namespace NetGo;

/// <summary>The virtual clock of a <see cref="Simulation"/>.</summary>
internal sealed class SimulationClock(DateTimeOffset start) : TimeProvider
{
    private long _nanoseconds = 1; // 0 would be "never" to some

    /// <summary>Whose timers those of this clock are.</summary>
    public GoScheduler? Scheduler;

    public override long TimestampFrequency => 1_000_000_000;

    public TimeSpan Elapsed => new((_nanoseconds - 1) / TimeSpan.NanosecondsPerTick);

    public override long GetTimestamp() => Volatile.Read(ref _nanoseconds);

    public override DateTimeOffset GetUtcNow() => start + Elapsed;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        Scheduler!.TimeProvider.CreateTimer(callback, state, dueTime, period);

    public void Advance(long nanoseconds) => Volatile.Write(ref _nanoseconds, _nanoseconds + nanoseconds);
}
