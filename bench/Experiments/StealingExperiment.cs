namespace Experiments;

/// <summary>Work stealing on and off: a server whose handlers compute, asked at a fixed rate, with all connections on one processor, and with them
/// shared out by the system.</summary>
internal sealed class StealingExperiment() : Experiment("stealing", rounds: 5, seconds: 2)
{
    private const int Rate = 2500;
    private const int Microseconds = 200;

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results(
            $"{Rate} requests/s of {Microseconds} us on two processors, 64 connections", "connections, stealing",
            "p50 ms", "p99 ms", "p99.9 ms", "cores used", "P0 idle %", "P1 idle %", "steals/s");
        await using HttpHost skewed = await StartAsync(shards: 1);
        await using HttpHost even = await StartAsync(shards: 2);
        (string Name, HttpHost Host, bool Steals)[] variants =
        [
            ("all on P0, on", skewed, true),
            ("all on P0, off", skewed, false),
            ("on both, on", even, true),
            ("on both, off", even, false),
        ];
        await InTurnAsync(options.Rounds, variants.Length, async (i, counts) =>
        {
            (string name, HttpHost host, bool steals) = variants[i];
            host.Scheduler.StealsWork = steals;
            SchedulerStatistics before = host.Scheduler.GetStatistics();
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = TimeProvider.System.GetTimestamp();
            Dictionary<string, double> load = await Tool.RateAsync(options, host.Port, Rate);
            double elapsed = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            cpu = Environment.CpuUsage.TotalTime - cpu;
            SchedulerStatistics after = host.Scheduler.GetStatistics();
            if (!counts)
                return;
            double Idle(int p) => (after.Processors[p].IdleTime - before.Processors[p].IdleTime).TotalSeconds / elapsed * 100;
            results.Add(
                name, load["main_p50"], load["main_p99"], load["main_p999"], cpu.TotalSeconds / elapsed, Idle(0), Idle(1),
                (after.Processors.Sum(static p => p.Steals) - before.Processors.Sum(static p => p.Steals)) / elapsed);
        });
        results.Print(variants.Select(static v => v.Name));
    }

    private static async Task<HttpHost> StartAsync(int shards) =>
        await HttpHost.StartAsync(new GoScheduler(new SchedulerOptions { MaxProcs = 2 }), HttpHost.Plaintext(Microseconds), shards);
}
