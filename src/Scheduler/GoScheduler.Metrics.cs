namespace NetGo;

// What the meter and the event source ask, beside GetStatistics.
public sealed partial class GoScheduler
{
    private long _spawnedElsewhere;

    /// <summary>Whether this is <see cref="Default"/>, which is not made by the question.</summary>
    internal bool IsDefault => this == Volatile.Read(ref s_default);

    /// <summary>How many goroutines have been started.</summary>
    internal long SpawnCount
    {
        get
        {
            long count = Volatile.Read(ref _spawnedElsewhere);
            foreach (Processor p in _allProcessors)
                count += Volatile.Read(ref p.Counts.Spawns);
            return count;
        }
    }
}
