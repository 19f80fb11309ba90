using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Experiments;

/// <summary>What an atomic operation costs on a cache line of one's own, and on one that another core writes as well: docs/scaling.md reckons with
/// that.</summary>
internal sealed class LinesExperiment() : Experiment("lines", rounds: 9, seconds: 0.1)
{
    private const int Apart = 32; // longs: four lines of 64 bytes
    private const int Batch = 1000;

    private static readonly long[] s_cells = GC.AllocateArray<long>(4 * Apart, pinned: true);

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results("Interlocked operations", "threads, line", "ns each");
        (string Name, int Threads, int Step)[] variants = [("one", 1, Apart), ("two, a line each", 2, Apart), ("two, the same line", 2, 0)];
        await InTurnAsync(options, variants.Length, (i, counts) =>
        {
            (string name, int threads, int step) = variants[i];
            double each = Measure(threads, step, options.Seconds);
            if (counts)
                results.Add(name, each);
            return Task.CompletedTask;
        });
        results.Print();
    }

    private static double Measure(int threads, int step, double seconds)
    {
        bool stop = false;
        double[] each = new double[threads];
        Thread[] all = new Thread[threads];
        using var begin = new Barrier(threads + 1);
        for (int t = 0; t < threads; t++)
        {
            int number = t;
            all[t] = new Thread(() =>
            {
                begin.SignalAndWait();
                long start = Stopwatch.GetTimestamp();
                long count = 0;
                for (; !Volatile.Read(ref stop); count += Batch)
                    AddMany(ref s_cells[Apart + (number * step)]);
                each[number] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / count;
            });
            all[t].Start();
        }
        begin.SignalAndWait();
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        Volatile.Write(ref stop, true);
        foreach (Thread thread in all)
            thread.Join();
        return each.Average();
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddMany(ref long cell)
    {
        for (int i = 0; i < Batch; i++)
            Interlocked.Increment(ref cell);
    }
}
