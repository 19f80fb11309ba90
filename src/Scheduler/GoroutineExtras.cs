namespace NetGo;

/// <summary>What a goroutine keeps only if it ever sleeps, is bound to a thread or has a deadline. It is the timer of its
/// sleep.</summary>
internal sealed class GoroutineExtras(Goroutine goroutine) : RuntimeTimer
{
    /// <summary>When the sleep that was asked for last ends, in nanoseconds of the scheduler's clock.</summary>
    public long SleepUntil;

    /// <summary>When it should have run, in nanoseconds of the scheduler's clock; <see cref="long.MaxValue"/> for none.</summary>
    public long Deadline = long.MaxValue;

    /// <summary>The only machine that may run it.</summary>
    public Machine? WiredTo;

    /// <summary>How often it has called LockOSThread without undoing it.</summary>
    public int LockCount;

    internal override void Fire(long now) => goroutine.Scheduler.Ready(goroutine, next: false);
}
