using System.Diagnostics;
using System.Globalization;

namespace SchedulerBench;

/// <summary>A million goroutines that wait for one channel, until it is closed: what they cost in memory, how long it takes
/// until all wait, and until all have ended after the close.</summary>
internal sealed class ParkBenchmark : Benchmark
{
    private const int Goroutines = 1_000_000;
    private const int WarmUpGoroutines = 1_000;
    private const int WarmUpRounds = 100;

    private ParkBenchmark()
        : base("park_1M")
    {
    }

    public static ParkBenchmark Instance { get; } = new();

    public override async Task RunAsync()
    {
        for (int i = 0; i < WarmUpRounds; i++)
            await Round(WarmUpGoroutines);
        await LetTheJitCatchUpAsync();
        GC.Collect();
        (double spawn, double wake, double memory) = await Round(Goroutines);
        Print("park_1M_rss", memory, "MB");
        Print("park_1M_spawn", spawn, "ms");
        Print("park_1M_wake", wake, "ms");
    }

    private static async Task<(double Spawn, double Wake, double Memory)> Round(int goroutines)
    {
        Channel<bool> stop = Channel.Make<bool>();
        var parked = new WaitGroup();
        var ended = new WaitGroup();
        parked.Add(goroutines);
        ended.Add(goroutines);
        double before = ResidentMegabytes();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < goroutines; i++)
        {
            Go.Spawn(async () =>
            {
                parked.Done();
                await stop.ReceiveAsync();
                ended.Done();
            });
        }
        await parked.WaitAsync();
        double spawn = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        double memory = ResidentMegabytes() - before;
        start = Stopwatch.GetTimestamp();
        stop.Close();
        await ended.WaitAsync();
        return (spawn, Stopwatch.GetElapsedTime(start).TotalMilliseconds, memory);
    }

    private static double ResidentMegabytes()
    {
        const string field = "VmRSS:";
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
                return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024.0;
        }
        return double.NaN;
    }
}
