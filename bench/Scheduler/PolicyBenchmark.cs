using System.Diagnostics;

namespace SchedulerBench;

/// <summary>Urgent goroutines among many that compute, on one processor: how late the urgent ones are under a policy, and what a
/// switch costs under it. Not part of a run without names; <c>--policies</c> runs these.</summary>
internal sealed class PolicyBenchmark(string name, SchedulingPolicy policy) : Benchmark($"policy_{name}")
{
    private const int WarmUpRounds = 3;
    private const int Busy = 100;
    private const int UrgentOnes = 300;
    private const int Steps = 3;
    private const int Yielders = 64;
    private const int Yields = 20_000;

    private static readonly TimeSpan s_burst = TimeSpan.FromMicroseconds(100);
    private static readonly TimeSpan s_deadline = TimeSpan.FromMilliseconds(1);

    public static Benchmark[] All { get; } =
    [
        new PolicyBenchmark("default", SchedulingPolicy.Default),
        new PolicyBenchmark("deadline_first", new DeadlineFirstPolicy()),
    ];

    public override async Task RunAsync()
    {
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Policy = policy });
        double[] latencies = await scheduler.RunAsync(UrgentAmongBusy).ConfigureAwait(false);
        Array.Sort(latencies);
        Print(Name + "_p50", latencies[UrgentOnes / 2], "us");
        Print(Name + "_p99", latencies[UrgentOnes * 99 / 100], "us");
        for (int i = 0; i < WarmUpRounds; i++)
        {
            await scheduler.RunAsync(YieldAll).ConfigureAwait(false);
            await scheduler.RunAsync(async () => await LetTheJitCatchUpAsync()).ConfigureAwait(false);
        }
        long start = Stopwatch.GetTimestamp();
        await scheduler.RunAsync(YieldAll).ConfigureAwait(false);
        Print(Name + "_switch", Stopwatch.GetElapsedTime(start).TotalNanoseconds / (Yielders * Yields), "ns/op");
    }

    // An urgent one has a few short things to do, with a switch between them, as a request has.
    private static async Task<double[]> UrgentAmongBusy()
    {
        bool stop = false;
        var group = new WaitGroup();
        for (int i = 0; i < Busy; i++)
        {
            group.Go(async () =>
            {
                while (!Volatile.Read(ref stop))
                {
                    Compute(s_burst);
                    await Go.YieldAsync();
                }
            });
        }
        double[] latencies = new double[UrgentOnes];
        for (int i = 0; i < UrgentOnes; i++)
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            Go.SetDeadline(s_deadline);
            long start = Stopwatch.GetTimestamp();
            for (int step = 0; step < Steps; step++)
                await Go.YieldAsync();
            latencies[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        Volatile.Write(ref stop, true);
        await group.WaitAsync();
        return latencies;
    }

    private static void Compute(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
        }
    }

    private static async Task YieldAll()
    {
        var group = new WaitGroup();
        for (int g = 0; g < Yielders; g++)
        {
            group.Go(async () =>
            {
                for (int i = 0; i < Yields; i++)
                    await Go.YieldAsync();
            });
        }
        await group.WaitAsync();
    }
}
