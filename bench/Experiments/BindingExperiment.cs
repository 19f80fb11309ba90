using System.Diagnostics;

namespace Experiments;

/// <summary>Machines bound to a core each, and not: the latency of a server at a fixed rate, with the machine to itself, and with a neighbour that
/// computes all the time.</summary>
internal sealed class BindingExperiment() : Experiment("binding", rounds: 5, seconds: 2)
{
    private const int Rate = 5000;

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results(
            $"{Rate} requests/s of plaintext on two processors, 64 connections", "neighbour, machines", "p50 us", "p99 ms", "p99.9 ms", "CPU us/request");
        await using HttpHost free = await StartAsync(MachineBinding.None);
        await using HttpHost bound = await StartAsync(MachineBinding.Core);
        (string Name, HttpHost Host, bool Neighbour)[] variants =
        [
            ("none, free", free, false),
            ("none, bound to cores", bound, false),
            ("one that computes, free", free, true),
            ("one that computes, bound to cores", bound, true),
        ];
        await InTurnAsync(options, variants.Length, async (i, counts) =>
        {
            (string name, HttpHost host, bool neighbour) = variants[i];
            Process? busy = neighbour ? Tool.StartSelf("burn") : null;
            try
            {
                TimeSpan cpu = Environment.CpuUsage.TotalTime;
                Dictionary<string, double> load = await Tool.RateAsync(options, host.Port, Rate);
                cpu = Environment.CpuUsage.TotalTime - cpu;
                if (counts)
                {
                    double requests = Rate * (options.WarmUp + options.Seconds);
                    results.Add(name, load["main_p50"] * 1000, load["main_p99"], load["main_p999"], cpu.TotalMicroseconds / requests);
                }
            }
            finally
            {
                if (busy is not null)
                    Tool.Stop(busy);
            }
        });
        results.Print(variants.Select(static v => v.Name));
    }

    private static async Task<HttpHost> StartAsync(MachineBinding binding) =>
        await HttpHost.StartAsync(new GoScheduler(new SchedulerOptions { MaxProcs = 2, MachineBinding = binding }), HttpHost.Plaintext(0));
}
