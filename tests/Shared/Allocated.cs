namespace NetGo.Tests;

/// <summary>What the process allocates, in bytes.</summary>
internal static class Allocated
{
    /// <summary>The least of five measurements, or the first below <paramref name="enough"/>: the test runner's own allocations may fall into one,
    /// but not into all.</summary>
    public static async Task<long> LeastAsync(Func<Task> run, long enough)
    {
        long least = long.MaxValue;
        for (int measurement = 0; measurement < 5 && least >= enough; measurement++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await run();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        return least;
    }
}
