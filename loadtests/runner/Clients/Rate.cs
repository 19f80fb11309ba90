using System.Globalization;

namespace NetGo.LoadTests;

/// <summary>loadtests/rate: requests at a fixed rate, whether or not the answers keep up.</summary>
internal sealed class Rate(string cores, string scratch)
{
    private static readonly TimeSpan s_drain = TimeSpan.FromSeconds(60);

    /// <summary>Loads the target; every answer's status and length are checked.</summary>
    /// <param name="into">Gets the latencies.</param>
    /// <param name="mix">What a part of the requests asks for in its place, as /block?ms=50:0.01; empty for nothing.</param>
    /// <exception cref="LoadTestException">An answer was wrong or missing.</exception>
    public async Task RunAsync(
        Target target, Scenario scenario, double perSecond, double warmup, double seconds, string mix, LatencyRecord into, CancellationToken cancellationToken)
    {
        string log = Path.Combine(scratch, "latencies");
        List<string> command =
        [
            Target.Client("rate"), "--port", $"{target.Port}", "--path", scenario.Path, "--connections", $"{scenario.Connections}",
            "--rate", Decimal(perSecond), "--warmup", Decimal(warmup), "--seconds", Decimal(seconds), "--log", log,
        ];
        if (scenario.Content > 0)
            command.AddRange(["--post", $"{scenario.Content}"]);
        if (scenario.Closes)
            command.Add("--close");
        if (target.Protocol == "https")
            command.Add("--tls");
        if (mix.Length > 0)
            command.AddRange(["--mix", mix]);
        await Tool.RunAsync([.. Tool.Client(cores, target.Protocol, command)], TimeSpan.FromSeconds(warmup + seconds) + s_drain, cancellationToken);
        into.Add(await File.ReadAllBytesAsync(log, cancellationToken));
        File.Delete(log);
    }

    /// <summary>As the clients read numbers.</summary>
    internal static string Decimal(double number) => number.ToString("0.###", CultureInfo.InvariantCulture);
}
