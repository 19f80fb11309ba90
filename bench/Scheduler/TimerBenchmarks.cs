namespace SchedulerBench;

/// <summary>Goroutines that sleep.</summary>
internal static class TimerBenchmarks
{
    private const int Goroutines = 10_000;
    private const int Each = 50;

    public static Benchmark[] All { get; } = [new TimedBenchmark("timers_sleep_1ms_10kg", Goroutines * Each, Sleep)];

    private static async Task Sleep()
    {
        var group = new WaitGroup();
        for (int g = 0; g < Goroutines; g++)
        {
            group.Go(async () =>
            {
                for (int i = 0; i < Each; i++)
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            });
        }
        await group.WaitAsync();
    }
}
