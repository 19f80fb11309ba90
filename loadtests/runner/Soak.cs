namespace NetGo.LoadTests;

/// <summary>A target at a fixed rate for long: whether its memory, descriptors, goroutines and latencies stay what they are.</summary>
internal sealed class Soak(Options options, LoadResults results, string scratch)
{
    private const double PartSeconds = 30;

    // Connections come and go beside the load: what each leaves behind has to be collected, and more than once in an hour.
    private const double ConnectionsPerSecond = 100;

    private static readonly Scenario s_scenario = Scenario.All.Single(static s => s.Name == "plaintext");
    private static readonly Scenario s_connections = Scenario.All.Single(static s => s.Name == "connections");

    /// <summary>Adds to the results what was seen, also when it is cancelled or fails meanwhile.</summary>
    /// <exception cref="LoadTestException">An answer was wrong or missing.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (string name in options.Targets)
        {
            var progress = new Progress((int)(options.Minutes * 60 / PartSeconds));
            await using Target target = await Target.StartAsync(name, "http", options.Port, options.ServerCores, cancellationToken);
            progress.Say("soak", $"{name} warms up");
            Load load = await new Wrk(options.ClientCores).RunAsync(target, s_scenario, options.Warmup, cancellationToken);
            double perSecond = options.Rate ?? Math.Floor(load.Count / load.Seconds / 2);
            var samples = new List<SoakSample>();
            results.Soaks.Add(new SoakResults(name, perSecond, samples));
            var rate = new Rate(options.ClientCores, scratch);
            var connecting = new Rate(options.ClientCores, Directory.CreateDirectory(Path.Combine(scratch, "connections")).FullName);
            double part = Math.Min(PartSeconds, options.Minutes * 60);
            HashSet<int> cores = [.. Options.CoresOf(options.ServerCores), .. Options.CoresOf(options.ClientCores)];
            long begin = Environment.TickCount64;
            while (Minutes(begin) < options.Minutes)
            {
                var latencies = new LatencyRecord();
                var watch = new Watch(target.Pid, cores);
                Task kept = rate.RunAsync(target, s_scenario, perSecond, 0, part, "", latencies, cancellationToken);
                var closed = new LatencyRecord();
                Task closing = connecting.RunAsync(target, s_connections, ConnectionsPerSecond, 0, part, "", closed, cancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(part * 0.9), cancellationToken);
                (long own, long resident) = ProcessFigures.Memory(target.Pid);
                int descriptors = ProcessFigures.Descriptors(target.Pid);
                int goroutines = await GoroutinesAsync(target, cancellationToken);
                await Task.WhenAll(kept, closing);
                (double cpu, _, double others) = watch.Read();
                samples.Add(new SoakSample(
                    Minutes(begin), latencies.Count + closed.Count, latencies.At(0.5), latencies.At(0.99), latencies.At(0.999), latencies.At(1),
                    1e6 * cpu / (latencies.Count + closed.Count), others, own, resident, descriptors, goroutines));
                progress.Done();
                progress.Say("soak", $"{name}, {Minutes(begin):F0} of {options.Minutes} min, p99 {latencies.At(0.99):F2} ms, {own >> 20} MiB");
            }
            await target.CheckAsync(cancellationToken);
        }
    }

    private static double Minutes(long begin) => (Environment.TickCount64 - begin) / 60_000.0;

    // GET /goroutines, of those that have them.
    private static async Task<int> GoroutinesAsync(Target target, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        using HttpResponseMessage response = await client.GetAsync(new Uri($"http://127.0.0.1:{target.Port}/goroutines"), cancellationToken);
        return response.IsSuccessStatusCode && int.TryParse(await response.Content.ReadAsStringAsync(cancellationToken), out int count) ? count : -1;
    }
}
