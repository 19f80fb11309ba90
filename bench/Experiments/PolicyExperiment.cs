using System.Diagnostics;
using System.Globalization;
using NetGo.Http;

namespace Experiments;

/// <summary>The policy that lets the most urgent run first, against the default: the latency of requests in a hurry among others that compute, on
/// one processor.</summary>
internal sealed class PolicyExperiment() : Experiment("policy", rounds: 6, seconds: 3)
{
    private const int Rate = 1000;
    private const int Steps = 20;
    private const int StepMicroseconds = 200;
    private const double Reports = 0.12;
    private const int UrgentSteps = 3;

    private static readonly TimeSpan s_deadline = TimeSpan.FromMilliseconds(1);

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results(
            $"{Rate} requests/s on one processor, 64 connections; {Reports:0 %} of them compute for {Steps} times {StepMicroseconds} us, the others are urgent",
            "policy", "urgent handler p50 ms", "p99 ms", "urgent request p50 ms", "p99 ms", "other request p50 ms", "p99 ms");
        var delays = new LatencyHistogram();
        await using HttpHost byDefault = await StartAsync(SchedulingPolicy.Default, delays);
        await using HttpHost byDeadline = await StartAsync(new DeadlineFirstPolicy(), delays);
        (string Name, HttpHost Host)[] variants = [("default", byDefault), ("deadline first", byDeadline)];
        await InTurnAsync(options, variants.Length, async (i, counts) =>
        {
            (string name, HttpHost host) = variants[i];
            string mix = string.Create(CultureInfo.InvariantCulture, $"--mix /report:{Reports}");
            Dictionary<string, double> load = await Tool.RateAsync(options, host.Port, Rate, mix);
            List<(double, long)> handlers = delays.Take();
            if (!counts)
                return;
            results.Add(
                name, LatencyHistogram.Percentile(handlers, 0.5) / 1000, LatencyHistogram.Percentile(handlers, 0.99) / 1000, load["main_p50"], load["main_p99"],
                load["mix_p50"], load["mix_p99"]);
        });
        results.Print(variants.Select(static v => v.Name));
    }

    private static async Task<HttpHost> StartAsync(SchedulingPolicy policy, LatencyHistogram delays) =>
        await HttpHost.StartAsync(new GoScheduler(new SchedulerOptions { MaxProcs = 1, Policy = policy }), Handlers(delays));

    private static ServeMux Handlers(LatencyHistogram delays)
    {
        var mux = new ServeMux();
        // A few short things to do with a switch between them, as with a database that is asked.
        mux.HandleFunc("GET /plaintext", async (w, _) =>
        {
            long start = Stopwatch.GetTimestamp();
            Go.SetDeadline(s_deadline);
            for (int i = 0; i < UrgentSteps; i++)
                await Go.YieldAsync();
            delays.Add((long)Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            await HttpHost.Answer(w);
        });
        // Gives way between its steps, as code should that computes for long.
        mux.HandleFunc("GET /report", async (w, _) =>
        {
            Go.SetDeadline(Timeout.InfiniteTimeSpan);
            for (int i = 0; i < Steps; i++)
            {
                Work.For(StepMicroseconds);
                await Go.YieldAsync();
            }
            Go.SetDeadline(s_deadline); // the connection's next request may be urgent, and is read before anybody knows
            await HttpHost.Answer(w);
        });
        return mux;
    }
}
