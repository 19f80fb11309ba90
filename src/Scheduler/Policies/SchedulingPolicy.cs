namespace NetGo;

/// <summary>What runs next on a processor, and for how long; given to a scheduler by <see cref="SchedulerOptions.Policy"/>. Derive
/// for one of your own.</summary>
public abstract class SchedulingPolicy
{
    /// <summary>Go's: in the order in which they became runnable, but who was made ready by the running goroutine last runs
    /// before all others. The fastest: its queue needs no lock.</summary>
    public static SchedulingPolicy Default { get; } = new BuiltInPolicy();

    /// <summary>How long a goroutine may run while others wait for its processor. Beyond it another thread gets the processor;
    /// Go's forcePreemptNS. The default is 10 ms; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</summary>
    public virtual TimeSpan TimeSlice => TimeSpan.FromMilliseconds(10);

    /// <summary>Makes what keeps the runnable goroutines of a processor; null for the built-in queue.</summary>
    /// <param name="processor">The number of the processor.</param>
    public abstract SchedulingOrder? CreateOrder(int processor);

    private sealed class BuiltInPolicy : SchedulingPolicy
    {
        public override SchedulingOrder? CreateOrder(int processor) => null;
    }
}
