namespace NetGo.LoadTests;

/// <summary>Runs the scenarios: in rounds with new processes, in which all targets are measured in turn in short slices, so that what the machine does meanwhile
/// weighs on all of them.</summary>
internal sealed class Runner(Options options, LoadResults results, string scratch)
{
    private const double MostPerSecond = 20_000; // of a fixed rate: what the client can time well beside the server's own work
    private const double BlockersPerSecond = 1500;
    private const string Blockers = "/block?ms=50:0.01";
    private const double NormalPerSecond = 200;
    private const int SlowConnections = 1000;

    private readonly Wrk _wrk = new(options.ClientCores);
    private readonly Rate _rate = new(options.ClientCores, scratch);
    private readonly WebSocketClient _webSocket = new(options.ClientCores, scratch);
    private readonly HashSet<int> _cores = [.. Options.CoresOf(options.ServerCores), .. Options.CoresOf(options.ClientCores)];
    private readonly Dictionary<(string Scenario, string Target, string Variant), FixedRateSum> _fixedRates = [];
    private readonly Dictionary<string, double> _ratesOf = [];
    private readonly Progress _progress = new(options.Rounds * options.Scenarios.Count);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (int round = 0; round < options.Rounds; round++)
        {
            foreach (IGrouping<string, Scenario> group in options.Scenarios.GroupBy(static s => s.Protocol))
                await RunGroupAsync([.. group], round, cancellationToken);
        }
        foreach (FixedRateSum sum in _fixedRates.Values.Where(static s => s.Latencies.Count > 0))
            results.FixedRates.Add(sum.ToResult());
    }

    private async Task RunGroupAsync(Scenario[] scenarios, int round, CancellationToken cancellationToken)
    {
        var running = new Dictionary<string, Target>(); // by program
        try
        {
            foreach (Scenario scenario in scenarios)
            {
                try
                {
                    await RunScenarioAsync(scenario, running, round, cancellationToken);
                }
                catch (LoadTestException e)
                {
                    Fail(scenario, "", e); // a client that is not there
                }
                _progress.Done();
            }
        }
        finally
        {
            foreach (Target target in running.Values)
                await target.DisposeAsync();
        }
    }

    private async Task RunScenarioAsync(Scenario scenario, Dictionary<string, Target> running, int round, CancellationToken cancellationToken)
    {
        string[] names = [.. options.Targets.Where(scenario.Suits)];
        if (scenario.Kind == ScenarioKind.Idle)
        {
            foreach (string name in round == 0 ? names : [])
                await Attempt(scenario, name, () => IdleAsync(scenario, name, running, cancellationToken));
            return;
        }
        var targets = new List<(string Name, Target Target)>();
        foreach (string name in names)
            await Attempt(scenario, name, async () => targets.Add((name, await TargetAsync(scenario, name, running, cancellationToken))));
        if (scenario.Kind is ScenarioKind.Load or ScenarioKind.WebSocket)
        {
            await FullLoadAsync(scenario, targets, round, cancellationToken);
            if (!scenario.HasFixedRate || targets.Count == 0)
                return;
        }
        await FixedRatesAsync(scenario, targets, cancellationToken);
        foreach ((string name, Target target) in targets)
            await Attempt(scenario, name, () => target.CheckAsync(cancellationToken)); // it answers as it did before
    }

    // Those that fail are taken out of the list.
    private async Task FullLoadAsync(Scenario scenario, List<(string Name, Target Target)> targets, int round, CancellationToken cancellationToken)
    {
        foreach ((string name, Target target) in targets.ToArray())
        {
            _progress.Say(scenario.Name, $"{name} settles");
            if (!await Attempt(scenario, name, () => LoadAsync(target, scenario, options.Settle, cancellationToken)))
                targets.Remove((name, target));
        }
        for (int slice = 1; slice <= options.Slices; slice++)
        {
            foreach ((string name, Target target) in targets.ToArray())
            {
                _progress.Say(scenario.Name, $"{name}, slice {slice} of {options.Slices}, round {round + 1} of {options.Rounds}");
                if (!await Attempt(scenario, name, () => SliceAsync(scenario, name, target, (round * options.Slices) + slice, cancellationToken)))
                    targets.Remove((name, target));
            }
        }
    }

    // As FullLoadAsync.
    private async Task FixedRatesAsync(Scenario scenario, List<(string Name, Target Target)> targets, CancellationToken cancellationToken)
    {
        double perSecond = RateOf(scenario);
        int slices = FixedRateSlices(scenario);
        for (int slice = 1; slice <= slices; slice++)
        {
            foreach ((string name, Target target) in targets.ToArray())
            {
                _progress.Say(scenario.Name, $"{name} at {perSecond:F0} {scenario.Unit}s/s, slice {slice} of {slices}");
                bool went = await Attempt(scenario, name, async () =>
                {
                    await FixedRateAsync(scenario, name, target, perSecond, "", "", cancellationToken);
                    if (scenario.Kind == ScenarioKind.Blockers)
                        await FixedRateAsync(scenario, name, target, perSecond, "with blockers", Blockers, cancellationToken);
                    if (scenario.Kind == ScenarioKind.SlowClients)
                        await AmongSlowClientsAsync(scenario, name, target, perSecond, cancellationToken);
                });
                if (!went)
                    targets.Remove((name, target));
            }
        }
    }

    private async Task<Target> TargetAsync(Scenario scenario, string name, Dictionary<string, Target> running, CancellationToken cancellationToken)
    {
        string program = scenario.ProgramOf(name);
        if (running.TryGetValue(program, out Target? target))
        {
            if (!target.HasEnded)
                return target;
            running.Remove(program);
            await target.DisposeAsync();
        }
        _progress.Say(scenario.Name, $"{name} warms up");
        target = await Target.StartAsync(program, scenario.Protocol, options.Port + running.Count, options.ServerCores, cancellationToken);
        running.Add(program, target);
        await LoadAsync(target, scenario with { Connections = Math.Min(scenario.Connections, 64) }, options.Warmup, cancellationToken);
        return target;
    }

    private Task<Load> LoadAsync(Target target, Scenario scenario, double seconds, CancellationToken cancellationToken) => scenario.Kind switch
    {
        ScenarioKind.WebSocket => _webSocket.RunAsync(target, scenario, seconds, cancellationToken),
        _ => _wrk.RunAsync(target, scenario, seconds, cancellationToken),
    };

    private async Task SliceAsync(Scenario scenario, string name, Target target, int number, CancellationToken cancellationToken)
    {
        var watch = new Watch(target.Pid, _cores);
        Load load = await LoadAsync(target, scenario, options.Seconds, cancellationToken);
        (double cpu, double core, double others) = watch.Read();
        (long own, long resident) = ProcessFigures.Memory(target.Pid);
        results.Slices.Add(new Slice(
            scenario.Name, name, number, load.Count / load.Seconds, 1e6 * cpu / load.Count, core, others, load.P50, load.P99, load.Max, own, resident));
    }

    private async Task FixedRateAsync(Scenario scenario, string name, Target target, double perSecond, string variant, string mix, CancellationToken cancellationToken)
    {
        if (!_fixedRates.TryGetValue((scenario.Name, name, variant), out FixedRateSum? sum))
            _fixedRates.Add((scenario.Name, name, variant), sum = new FixedRateSum(scenario.Name, name, variant, perSecond));
        double before = ProcessFigures.CpuSeconds(target.Pid);
        int slices = FixedRateSlices(scenario);
        double seconds = Math.Ceiling(options.RateSeconds / slices); // latency over time is one of whole seconds
        double settle = options.Settle / slices;
        if (scenario.Kind == ScenarioKind.WebSocket)
            await _webSocket.RunAtAsync(target, scenario, perSecond, settle, seconds, sum.Latencies, cancellationToken);
        else
            await _rate.RunAsync(target, scenario, perSecond, settle, seconds, mix, sum.Latencies, cancellationToken);
        sum.CpuSeconds += ProcessFigures.CpuSeconds(target.Pid) - before;
        sum.Requests += perSecond * (settle + seconds);
    }

    // The connections are opened for each: of many of them, or of those with TLS, that would cost much beside what is asked over them. And slow clients
    // need their time to be slow.
    private int FixedRateSlices(Scenario scenario) =>
        scenario is { Connections: < 1024, Protocol: "http", Kind: not ScenarioKind.SlowClients } ? Math.Min(options.Slices, (int)Math.Ceiling(options.RateSeconds)) : 1;

    private async Task AmongSlowClientsAsync(Scenario scenario, string name, Target target, double perSecond, CancellationToken cancellationToken)
    {
        if (!Tool.IsInstalled("slowhttptest"))
            throw new LoadTestException("slowhttptest is not installed");
        await using SlowClients slow = await SlowClients.StartAsync(target, SlowConnections, options.ClientCores, cancellationToken);
        await FixedRateAsync(scenario, name, target, perSecond, "among slow clients", "", cancellationToken);
        slow.ThrowUnlessThere();
    }

    private async Task IdleAsync(Scenario scenario, string name, Dictionary<string, Target> running, CancellationToken cancellationToken)
    {
        _progress.Say(scenario.Name, name);
        // A new process: memory that one has had before would be used again.
        await using Target target = await Target.StartAsync(
            scenario.ProgramOf(name), "http", options.Port + running.Count, options.ServerCores, cancellationToken);
        string output = await Tool.RunAsync(
            [
                "taskset", "-c", options.ClientCores, Target.Client("idle"), "--port", $"{target.Port}", "--pid", $"{ServingProcess(target.Pid)}",
                "--connections", $"{scenario.Connections}", "--settle", options.Warmup < 15 ? "1" : "15", // NetGo has given its buffers back after 10
            ],
            TimeSpan.FromMinutes(2), cancellationToken);
        Dictionary<string, double> figures = Tool.Figures(output);
        results.Idle.Add(new IdleMemory(
            name, scenario.Connections, figures["private_per_connection"], figures["resident_per_connection"], (int)figures["answered_after_idle"]));
    }

    // The one that has the connections: the last child of a master, or itself.
    private static int ServingProcess(int pid) => ProcessFigures.Children(pid) is [.., int worker] ? worker : pid;

    // The same for all targets: half of what the slowest does, in two digits.
    private double RateOf(Scenario scenario)
    {
        if (scenario.Kind == ScenarioKind.Blockers)
            return BlockersPerSecond;
        if (scenario.Kind == ScenarioKind.SlowClients)
            return NormalPerSecond;
        if (options.Rate is { } rate)
            return rate;
        if (!_ratesOf.TryGetValue(scenario.Name, out double perSecond))
        {
            double slowest = results.Slices.Where(s => s.Scenario == scenario.Name).GroupBy(static s => s.Target)
                .Min(static g => Statistics.Median(g.Select(static s => s.PerSecond)));
            double half = Math.Min(slowest / 2, MostPerSecond);
            double unit = Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(half)) - 1));
            _ratesOf.Add(scenario.Name, perSecond = Math.Max(1, Math.Floor(half / unit) * unit));
        }
        return perSecond;
    }

    private async Task<bool> Attempt(Scenario scenario, string target, Func<Task> step)
    {
        try
        {
            await step();
            return true;
        }
        catch (LoadTestException e)
        {
            Fail(scenario, target, e);
            return false;
        }
    }

    private void Fail(Scenario scenario, string target, LoadTestException e)
    {
        _progress.Tell($"{scenario.Name}, {target}: {e.Message}");
        results.Failures.Add(new Failure(scenario.Name, target, e.Message));
    }

    // What was measured at a fixed rate in all rounds.
    private sealed class FixedRateSum(string scenario, string target, string variant, double perSecond)
    {
        public LatencyRecord Latencies { get; } = new();

        public double CpuSeconds { get; set; }

        public double Requests { get; set; }

        public FixedRate ToResult() => new(
            scenario, target, variant, perSecond, Latencies.Count, 1e6 * CpuSeconds / Math.Max(1, Requests), Latencies.MeanMilliseconds, Latencies.Percentiles,
            Latencies.Seconds);
    }
}
