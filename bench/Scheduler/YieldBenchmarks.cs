namespace SchedulerBench;

/// <summary>Goroutines that give way to one another.</summary>
internal static class YieldBenchmarks
{
    private const int Goroutines = 64;
    private const int Each = 20_000;

    public static Benchmark[] All { get; } = [new TimedBenchmark("yield_64g", Goroutines * Each, Yield)];

    private static async Task Yield()
    {
        var group = new WaitGroup();
        for (int g = 0; g < Goroutines; g++)
        {
            group.Go(async () =>
            {
                for (int i = 0; i < Each; i++)
                    await Go.YieldAsync();
            });
        }
        await group.WaitAsync();
    }
}
