using NetGo.Http;

namespace Experiments;

/// <summary>The policy that lets the most urgent run first, against the default: the latency of requests in a hurry among others that compute, on
/// one processor.</summary>
internal sealed class PolicyExperiment() : Experiment("policy", rounds: 6, seconds: 3)
{
    private const int Rate = 1000;
    private const int Steps = 20;
    private const int StepMicroseconds = 200;
    private const double Reports = 0.18;
    private const int UrgentSteps = 3;

    private static readonly TimeSpan s_deadline = TimeSpan.FromMilliseconds(1);

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results(
            $"{Rate} requests/s on one processor, 64 connections; {Reports:0 %} of them compute for {Steps} times {StepMicroseconds} us, the others are urgent",
            "policy", "urgent p50 ms", "urgent p99 ms", "urgent p99.9 ms", "others p50 ms", "others p99 ms");
        await using HttpHost byDefault = await StartAsync(SchedulingPolicy.Default);
        await using HttpHost byDeadline = await StartAsync(new DeadlineFirstPolicy());
        (string Name, HttpHost Host)[] variants = [("default", byDefault), ("deadline first", byDeadline)];
        await InTurnAsync(options.Rounds, variants.Length, async (i, counts) =>
        {
            (string name, HttpHost host) = variants[i];
            string mix = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"--mix /report:{Reports}");
            Dictionary<string, double> load = await Tool.RateAsync(options, host.Port, Rate, mix);
            if (counts)
                results.Add(name, load["main_p50"], load["main_p99"], load["main_p999"], load["mix_p50"], load["mix_p99"]);
        });
        results.Print(variants.Select(static v => v.Name));
    }

    private static async Task<HttpHost> StartAsync(SchedulingPolicy policy) =>
        await HttpHost.StartAsync(new GoScheduler(new SchedulerOptions { MaxProcs = 1, Policy = policy }), Handlers());

    private static ServeMux Handlers()
    {
        var mux = new ServeMux();
        // A few short things to do with a switch between them, as with a database that is asked.
        mux.HandleFunc("GET /plaintext", async (w, _) =>
        {
            Go.SetDeadline(s_deadline);
            for (int i = 0; i < UrgentSteps; i++)
                await Go.YieldAsync();
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
