using System.Diagnostics;

namespace SchedulerBench;

/// <summary>A benchmark whose result is time per operation.</summary>
/// <param name="name">Its name.</param>
/// <param name="operations">How many operations a round is.</param>
/// <param name="round">One round.</param>
internal sealed class TimedBenchmark(string name, int operations, Func<Task> round) : Benchmark(name)
{
    private const int WarmUpRounds = 3;
    private const int Rounds = 7;

    public override async Task RunAsync()
    {
        for (int i = 0; i < WarmUpRounds; i++)
        {
            await round();
            await LetTheJitCatchUpAsync();
        }
        double[] results = new double[Rounds];
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < Rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await round();
            results[i] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / operations;
        }
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        Array.Sort(results);
        Print(Name, results[Rounds / 2], "ns/op");
        if (Environment.GetEnvironmentVariable("BENCH_ALLOCATIONS") == "1")
            Print(Name + "_allocated", (double)allocated / Rounds / operations, "B/op");
    }
}
