using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Experiments;

/// <summary>What an atomic operation costs on a cache line of one's own, and on one that another core writes as well: docs/scaling.md reckons with
/// that.</summary>
internal sealed class LinesExperiment() : Experiment("lines", rounds: 9, seconds: 0.1)
{
    private const int Apart = 32; // longs: four lines of 64 bytes
    private const int Batch = 1000;
    private const int Turns = 50;
    private const int MaxSpins = 1_000_000;

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
            long start = Stopwatch.GetTimestamp();
            AddMany(ref s_cells[Apart + (number * step)]);
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Batch;
        });

    // Who has the number that is due makes it the other's.
    private static double MeasureTurns(double seconds)
    {
        s_cells[Apart] = 0;
        return Run(2, seconds, number =>
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Turns; i++)
            {
                for (int spins = 0; Volatile.Read(ref s_cells[Apart]) != number; spins++)
                {
                    if (spins == MaxSpins)
                        return double.NaN; // the other has ended, or is not running
                }
                Interlocked.Exchange(ref s_cells[Apart], 1 - number);
            }
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / (2 * Turns);
        });
    }

    // The median of what a step says that an operation took, in ns: a thread that has to wait for a core spoils one step.
    private static double Run(int threads, double seconds, Func<int, double> step)
    {
        bool stop = false;
        List<double> all = [];
        Thread[] running = new Thread[threads];
        using var begin = new Barrier(threads + 1);
        for (int t = 0; t < threads; t++)
        {
            int number = t;
            running[t] = new Thread(() =>
            {
                List<double> own = [];
                begin.SignalAndWait();
                while (!Volatile.Read(ref stop))
                    own.Add(step(number));
                lock (all)
                    all.AddRange(own.Where(static took => !double.IsNaN(took)));
            });
            running[t].Start();
        }
        begin.SignalAndWait();
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        Volatile.Write(ref stop, true);
        foreach (Thread thread in running)
            thread.Join();
        return all.Count == 0 ? double.NaN : Results.Quantile([.. all.Order()], 0.5);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddMany(ref long cell)
    {
        for (int i = 0; i < Batch; i++)
            Interlocked.Increment(ref cell);
    }
}
