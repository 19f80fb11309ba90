namespace NetGo.LoadTests;

/// <summary>loadtests/websocket: messages that come back, over connections that each wait for one before the next.</summary>
internal sealed class WebSocketClient(string cores, string scratch)
{
    private const int MessageOctets = 64;

    /// <summary>As many as come back.</summary>
    /// <exception cref="LoadTestException">A message was wrong or missing.</exception>
    public async Task<Load> RunAsync(Target target, Scenario scenario, double seconds, CancellationToken cancellationToken)
    {
        Dictionary<string, double> figures = Tool.Figures(await RunAsync(target, scenario, 0, seconds, [], cancellationToken));
        return new Load((long)figures["messages"], seconds, figures["p50"], figures["p99"], figures["max"]);
    }

    /// <summary>At a fixed rate, whether or not they keep up.</summary>
    /// <param name="into">Gets the latencies.</param>
    /// <exception cref="LoadTestException">A message was wrong or missing.</exception>
    public async Task RunAtAsync(
        Target target, Scenario scenario, double perSecond, double warmup, double seconds, LatencyRecord into, CancellationToken cancellationToken)
    {
        string log = Path.Combine(scratch, "messages");
        await RunAsync(target, scenario, warmup, seconds, ["--rate", Rate.Decimal(perSecond), "--log", log], cancellationToken);
        into.Add(await File.ReadAllBytesAsync(log, cancellationToken));
        File.Delete(log);
    }

    private Task<string> RunAsync(
        Target target, Scenario scenario, double warmup, double seconds, IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        Tool.RunAsync(
            [
                .. Tool.Client(cores, target.Protocol,
                    [
                        Target.Client("websocket"), "--port", $"{target.Port}", "--connections", $"{scenario.Connections}", "--seconds", Rate.Decimal(seconds),
                        "--warmup", Rate.Decimal(warmup), "--size", $"{MessageOctets}", .. arguments,
                    ]),
            ],
            TimeSpan.FromSeconds(warmup + seconds + 60), cancellationToken);
}
