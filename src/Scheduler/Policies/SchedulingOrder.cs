namespace NetGo;

/// <summary>A processor's runnable goroutines in the order of a <see cref="SchedulingPolicy"/>. The scheduler calls it under a
/// lock, one call at a time, from its own code: the calls must be short and must not use the scheduler; should one throw, the process
/// ends. A processor without
/// work takes from the queues of the others by <see cref="TakeNext"/> too.</summary>
public abstract class SchedulingOrder
{
    /// <summary>Adds a goroutine that has become runnable.</summary>
    /// <param name="goroutine">The goroutine; the same object for the scheduler until it is taken.</param>
    /// <param name="next">The built-in queue would run it before all others: the running goroutine has spawned it or has just made
    /// it ready, and will often wait for it.</param>
    /// <param name="now">The scheduler's time, in nanoseconds.</param>
    public abstract void Add(GoroutineRef goroutine, bool next, long now);

    /// <summary>Takes out the one that shall run next. Called only when there is one.</summary>
    /// <param name="now">The scheduler's time, in nanoseconds.</param>
    public abstract GoroutineRef TakeNext(long now);
}
