namespace NetGo;

public sealed partial class GoScheduler
{
    /// <summary>The wall time of the scheduler's clock: for converting deadlines from and to what people and protocols use.</summary>
    internal DateTimeOffset WallTime() => _timeProvider.GetUtcNow();
}
