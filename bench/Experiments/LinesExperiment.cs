using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Experiments;

/// <summary>What an atomic operation costs on a cache line of one's own, and on one that another core writes as well: docs/scaling.md reckons with
/// that.</summary>
internal sealed class LinesExperiment() : Experiment("lines", rounds: 9, seconds: 0.1)
{
    private const int Apart = 32; // longs: four lines of 64 bytes
    private const int Batch = 1000;
    private const int MaxSpins = 3_000_000;

    private static readonly long[] s_cells = GC.AllocateArray<long>(4 * Apart, pinned: true);

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results("Interlocked operations", "threads, line", "ns each");
        (string Name, Func<double> Measure)[] variants =
        [
            ("one", () => Measure(threads: 1, Apart, options.Seconds)),
            ("two, a line each", () => Measure(threads: 2, Apart, options.Seconds)),
            ("two, the same line", () => Measure(threads: 2, 0, options.Seconds)),
            ("two, the same line in turn: a move from core to core", () => MeasureTurns(options.Seconds)),
        ];
        await InTurnAsync(options, variants.Length, (i, counts) =>
        {
            double each = variants[i].Measure();
            if (counts)
                results.Add(variants[i].Name, each);
            return Task.CompletedTask;
        });
        results.Print();
    }

    private static double Measure(int threads, int step, double seconds) => Run(
        threads, seconds,
        number =>
        {
            AddMany(ref s_cells[Apart + (number * step)]);
            return Batch;
        });

    // Who has the number that is due makes it the other's. The median batch: a thread that is not running keeps the other waiting.
    private static double MeasureTurns(double seconds)
    {
        List<double> batches = [];
        s_cells[Apart] = 0;
        Run(2, seconds, number =>
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Batch; i++)
            {
                for (int spins = 0; Volatile.Read(ref s_cells[Apart]) != number; spins++)
                {
                    if (spins == MaxSpins)
                        return 0; // the other has ended, or is not running
                }
                Interlocked.Exchange(ref s_cells[Apart], 1 - number);
            }
            if (number == 0)
                batches.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / (2 * Batch));
            return Batch;
        });
        return batches.Count == 0 ? double.NaN : Results.Quantile([.. batches.Order()], 0.5);
    }

    // How long a step takes each thread, in ns. A step says how many operations it was.
    private static double Run(int threads, double seconds, Func<int, int> step)
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
                while (!Volatile.Read(ref stop))
                    count += step(number);
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
