namespace NetGo;

/// <summary>How many goroutines a simulation has, branches included: it is over when there are none.</summary>
internal sealed class SimulationPopulation : SchedulerObserver
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    // A task that is completed outside may be the end of a goroutine there.
    public override void Spawned(Goroutine g) => Interlocked.Increment(ref _count);

    public override void Ended(Goroutine g) => Interlocked.Decrement(ref _count);
}
