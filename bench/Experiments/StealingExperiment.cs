using System.Diagnostics;
using System.Globalization;
using NetGo.Http;

namespace Experiments;

/// <summary>Work stealing on and off: a server some of whose handlers spawn goroutines that compute, asked at a fixed rate, with all connections on one
/// processor, and with them shared out by the system.</summary>
internal sealed class StealingExperiment() : Experiment("stealing", rounds: 5, seconds: 2)
{
    private const int Rate = 1500;
    private const int ShortMicroseconds = 100;
    private const int Parts = 5;
    private const int PartMicroseconds = 1000;
    private const double Long = 0.06;

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results(
            $"{Rate} requests/s on two processors, 64 connections; {Long:0 %} of them spawn {Parts} goroutines of {PartMicroseconds} us, the others compute for {ShortMicroseconds} us",
            "connections, stealing", "short p50 ms", "p99 ms", "p99.9 ms", "long p50 ms", "p99 ms", "cores used", "P0 idle %", "P1 idle %", "steals/s");
        await using HttpHost skewed = await StartAsync(shards: 1);
        await using HttpHost even = await StartAsync(shards: 2);
        (string Name, HttpHost Host, bool Steals)[] variants =
        [
            ("all on P0, on", skewed, true),
            ("all on P0, off", skewed, false),
            ("on both, on", even, true),
            ("on both, off", even, false),
        ];
        long stolenInAll = 0;
        string mix = string.Create(CultureInfo.InvariantCulture, $"--mix /long:{Long}");
        await InTurnAsync(options, variants.Length, async (i, counts) =>
        {
            (string name, HttpHost host, bool steals) = variants[i];
            host.Scheduler.StealsWork = steals;
            SchedulerStatistics before = host.Scheduler.GetStatistics();
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            Dictionary<string, double> load = await Tool.RateAsync(options, host.Port, Rate, mix);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            cpu = Environment.CpuUsage.TotalTime - cpu;
            SchedulerStatistics after = host.Scheduler.GetStatistics();
            long stolen = after.Processors.Sum(static p => p.Steals) - before.Processors.Sum(static p => p.Steals);
            if (!steals && stolen > 0)
                throw new InvalidOperationException($"There were {stolen} steals while stealing was off.");
            stolenInAll += stolen;
            if (!counts)
                return;
            double Idle(int p) => (after.Processors[p].IdleTime - before.Processors[p].IdleTime).TotalSeconds / elapsed * 100;
            results.Add(
                name, load["main_p50"], load["main_p99"], load["main_p999"], load["mix_p50"], load["mix_p99"], cpu.TotalSeconds / elapsed, Idle(0), Idle(1), stolen / elapsed);
        });
        if (stolenInAll == 0)
            throw new InvalidOperationException("There were no steals while stealing was on.");
        results.Print(variants.Select(static v => v.Name));
    }

    private static async Task<HttpHost> StartAsync(int shards) =>
        await HttpHost.StartAsync(new GoScheduler(new SchedulerOptions { MaxProcs = 2 }), Handlers(), shards);

    private static ServeMux Handlers()
    {
        ServeMux mux = HttpHost.Plaintext(ShortMicroseconds);
        mux.HandleFunc("GET /long", async (w, _) =>
        {
            var group = new WaitGroup();
            for (int i = 0; i < Parts; i++)
                group.Go(static () => Work.For(PartMicroseconds));
            await group.WaitAsync();
            await HttpHost.Answer(w);
        });
        return mux;
    }
}
