using System.Globalization;

namespace NetGo.LoadTests;

/// <summary>wrk: requests over connections that each wait for the answer before the next one. It knows whole seconds only.</summary>
internal sealed class Wrk(string cores)
{
    private const double OneConnectionSeconds = 1;

    private readonly Dictionary<(Target, Scenario), (double Least, double Most)> _octets = [];

    /// <summary>Loads the target, and checks what can be checked of every answer: its status, and that all of them together are as long as they should be.</summary>
    /// <exception cref="LoadTestException">An answer was wrong or missing.</exception>
    public async Task<Load> RunAsync(Target target, Scenario scenario, double seconds, CancellationToken cancellationToken)
    {
        if (!_octets.TryGetValue((target, scenario), out (double Least, double Most) octets))
        {
            Dictionary<string, double> one = await RunAsync(target, scenario, 1, OneConnectionSeconds, cancellationToken);
            octets = _octets[(target, scenario)] = OctetsEach(one["octets"], one["requests"], scenario.Pipelined);
        }
        Dictionary<string, double> figures = await RunAsync(target, scenario, scenario.Connections, seconds, cancellationToken);
        if (!AreWhole(figures["octets"], figures["requests"], octets, scenario.Connections * scenario.Pipelined))
            throw new LoadTestException($"the answers had {figures["octets"] / figures["requests"]:F1} octets on average in place of {octets.Least:F0} to {octets.Most:F0}");
        return new Load(
            (long)figures["requests"], figures["duration"] / 1e6, figures["p50"] / 1e3, figures["p99"] / 1e3, figures["max"] / 1e3);
    }

    /// <summary>How many octets an answer has, where so many more answers may have come in part: one number for thousands of answers, a range for few.</summary>
    internal static (double Least, double Most) OctetsEach(double octets, double answers, int underWay) =>
        (Math.Ceiling(octets / (answers + underWay)), Math.Floor(octets / answers));

    /// <summary>Whether so many answers are as long as they should be, when as many more as were under way may have come in part.</summary>
    internal static bool AreWhole(double octets, double answers, (double Least, double Most) octetsEach, int underWay)
    {
        (double least, double most) = OctetsEach(octets, answers, underWay);
        return Math.Max(least, octetsEach.Least) <= Math.Min(most, octetsEach.Most);
    }

    private async Task<Dictionary<string, double>> RunAsync(Target target, Scenario scenario, int connections, double seconds, CancellationToken cancellationToken)
    {
        int threads = Math.Min(Options.CoresOf(cores).Count, connections);
        string[] command =
        [
            "wrk", "-t", $"{threads}", "-c", $"{connections}", "-d", $"{Math.Max(1, Math.Ceiling(seconds)):F0}s", "--timeout", "10s",
            "-s", Path.Combine(Target.Folder, "wrk", "load.lua"), $"{target.Protocol}://127.0.0.1:{target.Port}{scenario.Path}",
            "--", $"{scenario.Pipelined}", $"{scenario.Content}", scenario.Closes ? "1" : "0",
        ];
        string output = await Tool.RunAsync([.. Tool.Client(cores, target.Protocol, command)], TimeSpan.FromSeconds(seconds + 60), cancellationToken);
        Dictionary<string, double> figures = Tool.Figures(output);
        if (!figures.TryGetValue("errors", out double errors))
            throw new LoadTestException($"wrk said nothing that is understood: {output}");
        if (errors > 0)
            throw new LoadTestException(string.Create(CultureInfo.InvariantCulture, $"{errors:F0} of {figures["requests"]:F0} answers were wrong or missing"));
        return figures["requests"] > 0 ? figures : throw new LoadTestException("no request was answered");
    }
}
