using System.Diagnostics;

namespace SchedulerBench;

/// <summary>The same operation among 10, 1,000, 100,000 and 1,000,000 goroutines: CPU time of the process per operation, which
/// should stay what it is. Not part of a run without names; <c>--growth</c> runs these.</summary>
internal sealed class GrowthBenchmark(string operation, int goroutines, int each, Func<int, int, Task> round)
    : Benchmark($"growth_{operation}_{goroutines}")
{
    private const int WarmUpRounds = 4;
    private const int Rounds = 5;
    private const long LeastOperations = 200_000;

    private static readonly int[] s_goroutines = [10, 1_000, 100_000, 1_000_000];

    public static Benchmark[] All { get; } =
    [
        .. s_goroutines.Select(n => new GrowthBenchmark("spawn", n, 1, static (n, _) => SpawnAll(n))),
        .. s_goroutines.Select(n => new GrowthBenchmark("channel", n, Math.Max(2, 1_000_000 / n), PassInPairs)),
        .. s_goroutines.Select(n => new GrowthBenchmark("timer", n, Math.Clamp(1_000_000 / n, 2, 200), SleepAll)),
    ];

    public override async Task RunAsync()
    {
        int repeat = (int)Math.Max(1, LeastOperations / ((long)goroutines * each));
        if (Name.Contains("timer", StringComparison.Ordinal))
            repeat = 1; // a sleep takes a millisecond however few sleep
        double[] results = new double[Rounds];
        for (int i = -WarmUpRounds; i < Rounds; i++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            for (int r = 0; r < repeat; r++)
                await round(goroutines, each);
            double time = (Environment.CpuUsage.TotalTime - before).TotalNanoseconds;
            if (i >= 0)
                results[i] = time / ((double)goroutines * each * repeat);
            else
                await LetTheJitCatchUpAsync();
        }
        Array.Sort(results);
        Print(Name, results[Rounds / 2], "cpu-ns/op");
    }

    // All exist at the same time: none ends before the last was spawned.
    private static async Task SpawnAll(int goroutines)
    {
        Channel<bool> start = Channel.Make<bool>();
        var group = new WaitGroup();
        group.Add(goroutines);
        for (int i = 0; i < goroutines; i++)
        {
            Go.Spawn(async () =>
            {
                await start.ReceiveAsync();
                group.Done();
            });
        }
        start.Close();
        await group.WaitAsync();
    }

    // Each pair passes values over an unbuffered channel of its own; an operation is a send or a receive.
    private static async Task PassInPairs(int goroutines, int each)
    {
        var group = new WaitGroup();
        group.Add(goroutines);
        for (int i = 0; i < goroutines; i += 2)
        {
            Channel<int> channel = Channel.Make<int>();
            Go.Spawn(async () =>
            {
                for (int n = 0; n < each; n++)
                    await channel.SendAsync(n);
                group.Done();
            });
            Go.Spawn(async () =>
            {
                for (int n = 0; n < each; n++)
                    await channel.ReceiveAsync();
                group.Done();
            });
        }
        await group.WaitAsync();
    }

    private static async Task SleepAll(int goroutines, int each)
    {
        var group = new WaitGroup();
        group.Add(goroutines);
        for (int i = 0; i < goroutines; i++)
        {
            Go.Spawn(async () =>
            {
                for (int n = 0; n < each; n++)
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                group.Done();
            });
        }
        await group.WaitAsync();
    }
}
