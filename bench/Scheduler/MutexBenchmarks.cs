namespace SchedulerBench;

/// <summary>Goroutines that want the same mutex.</summary>
internal static class MutexBenchmarks
{
    private const int Goroutines = 64;
    private const int Each = 50_000;

    private static long s_counter;

    public static Benchmark[] All { get; } = [new TimedBenchmark("mutex_contended_64g", Goroutines * Each, LockAndCount)];

    private static async Task LockAndCount()
    {
        var mutex = new GoMutex();
        var group = new WaitGroup();
        for (int g = 0; g < Goroutines; g++)
        {
            group.Go(async () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    await mutex.LockAsync();
                    s_counter++;
                    mutex.Unlock();
                }
            });
        }
        await group.WaitAsync();
    }
}
