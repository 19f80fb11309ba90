namespace SchedulerBench;

/// <summary>Goroutines that begin and end.</summary>
internal static class SpawnBenchmarks
{
    private const int Batches = 1000;
    private const int BatchSize = 1000;
    private const int Leaves = 1_000_000;
    private const int Fanout = 10;

    public static Benchmark[] All { get; } =
    [
        new TimedBenchmark("spawn_join", Batches * BatchSize, SpawnAndJoin),
        new TimedBenchmark("skynet_1M", Leaves, SkynetRoot),
    ];

    private static async Task SpawnAndJoin()
    {
        var group = new WaitGroup();
        for (int batch = 0; batch < Batches; batch++)
        {
            group.Add(BatchSize);
            for (int i = 0; i < BatchSize; i++)
            {
                Go.Spawn(
                    static group =>
                    {
                        ((WaitGroup)group!).Done();
                        return Task.CompletedTask;
                    },
                    group);
            }
            await group.WaitAsync();
        }
    }

    // A tree of goroutines, ten children each; every leaf sends its number to its parent, every parent the sum.
    private static async Task SkynetRoot()
    {
        Channel<long> result = Channel.Make<long>();
        Go.Spawn(() => Skynet(result, 0, Leaves));
        (long sum, _) = await result.ReceiveAsync();
        if (sum != (long)Leaves * (Leaves - 1) / 2)
            throw new InvalidOperationException($"skynet: {sum}");
    }

    private static async Task Skynet(Channel<long> result, long number, int size)
    {
        if (size == 1)
        {
            await result.SendAsync(number);
            return;
        }
        Channel<long> children = Channel.Make<long>();
        size /= Fanout;
        for (int i = 0; i < Fanout; i++)
        {
            long child = number + (long)i * size;
            Go.Spawn(() => Skynet(children, child, size));
        }
        long sum = 0;
        for (int i = 0; i < Fanout; i++)
            sum += (await children.ReceiveAsync()).Value;
        await result.SendAsync(sum);
    }
}
