namespace NetGo.LoadTests;

/// <summary>loadtests/websocket: messages that come back, over connections that each wait for one before the next.</summary>
internal sealed class WebSocketClient(string cores)
{
    private const int MessageOctets = 64;

    /// <exception cref="LoadTestException">A message was wrong or missing.</exception>
    public async Task<Load> RunAsync(Target target, Scenario scenario, double seconds, CancellationToken cancellationToken)
    {
        string output = await Tool.RunAsync(
            [
                "taskset", "-c", cores, Target.Client("websocket"), "--port", $"{target.Port}", "--connections", $"{scenario.Connections}",
                "--seconds", FormattableString.Invariant($"{seconds:0.###}"), "--warmup", "0", "--size", $"{MessageOctets}",
            ],
            TimeSpan.FromSeconds(seconds + 60), cancellationToken);
        Dictionary<string, double> figures = Tool.Figures(output);
        return new Load((long)figures["messages"], seconds, figures["p50"], figures["p99"], figures["max"]);
    }
}
