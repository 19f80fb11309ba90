using System.Text.Json.Serialization;

namespace NetGo.LoadTests;

/// <summary>All that was measured, as it is written to results.json, and what a report is made from.</summary>
internal sealed record LoadResults
{
    public required DateTimeOffset Begun { get; init; }

    public TimeSpan Took { get; set; }

    /// <summary>The command that made it.</summary>
    public required string Command { get; init; }

    public required string ServerCores { get; init; }

    public required string ClientCores { get; init; }

    public required IReadOnlyList<string> Targets { get; init; }

    public required IReadOnlyList<string> Scenarios { get; init; }

    /// <summary>What and value, as "Linux" and "6.18".</summary>
    public required IReadOnlyList<MachineFact> Machine { get; init; }

    public List<Slice> Slices { get; init; } = [];

    public List<FixedRate> FixedRates { get; init; } = [];

    public List<IdleMemory> Idle { get; init; } = [];

    public List<Failure> Failures { get; init; } = [];

    public List<SoakResults> Soaks { get; init; } = [];

    /// <summary>These, with what another run has of a scenario (of full load, and of fixed rates) in place of what there is of it here.</summary>
    /// <exception cref="LoadTestException">It was on other cores.</exception>
    public LoadResults With(LoadResults later)
    {
        if ((ServerCores, ClientCores) != (later.ServerCores, later.ClientCores))
            throw new LoadTestException("one of the runs was on other cores than another");
        HashSet<string> loaded = [.. later.Slices.Select(static s => s.Scenario)];
        HashSet<string> rated = [.. later.FixedRates.Select(static f => f.Scenario)];
        return this with
        {
            Took = Took + later.Took,
            Command = $"{Command}` and `{later.Command}",
            Targets = [.. Targets.Union(later.Targets)],
            Scenarios = [.. Scenarios.Union(later.Scenarios)],
            Machine = [.. Machine.Union(later.Machine)],
            Slices = [.. Slices.Where(s => !loaded.Contains(s.Scenario)), .. later.Slices],
            FixedRates = [.. FixedRates.Where(f => !rated.Contains(f.Scenario)), .. later.FixedRates],
            Idle = later.Idle.Count > 0 ? later.Idle : Idle,
            Failures = [.. Failures, .. later.Failures],
            Soaks = [.. Soaks, .. later.Soaks],
        };
    }
}

internal sealed record MachineFact(string Name, string Value);

/// <summary>A target under full load for a moment. All targets are measured in turn in a slice.</summary>
/// <param name="PerSecond">Requests, or messages.</param>
/// <param name="CpuMicroseconds">Processor time of the server for each.</param>
/// <param name="Core">How busy the server was, in cores.</param>
/// <param name="Others">What neither it nor the client took of the cores, in cores.</param>
/// <param name="P50">Latency in ms, of a closed loop. So are the others.</param>
internal sealed record Slice(
    string Scenario, string Target, int Number, double PerSecond, double CpuMicroseconds, double Core, double Others, double P50, double P99, double Max,
    long PrivateBytes, long ResidentBytes);

/// <summary>Latency at a fixed rate, from when a request was due: corrected for coordinated omission by the way it is taken.</summary>
/// <param name="Variant">Empty, or what was done to the target meanwhile.</param>
/// <param name="Percentiles">In ms.</param>
/// <param name="Seconds">One after the other.</param>
internal sealed record FixedRate(
    string Scenario, string Target, string Variant, double PerSecond, long Count, double CpuMicroseconds, double MeanMilliseconds,
    IReadOnlyList<PercentileValue> Percentiles, IReadOnlyList<SecondOfLatency> Seconds)
{
    /// <summary>The latency that this part (0 to 1) of the requests does not exceed, in ms.</summary>
    public double At(double part) => Percentiles.First(p => p.Part >= part).Milliseconds;
}

internal sealed record PercentileValue(double Part, double Milliseconds);

internal sealed record SecondOfLatency(double P50, double P99, double Max);

/// <summary>Memory of connections on which nothing happens, in bytes for each.</summary>
internal sealed record IdleMemory(string Target, int Connections, double PrivatePerConnection, double ResidentPerConnection, int Answered);

internal sealed record Failure(string Scenario, string Target, string Message);

/// <summary>A target at a fixed rate for long.</summary>
internal sealed record SoakResults(string Target, double PerSecond, IReadOnlyList<SoakSample> Samples);

/// <summary>A part of a soak.</summary>
/// <param name="Minute">Since its begin.</param>
/// <param name="Count">Requests, all of them answered as they should be.</param>
/// <param name="P50">Latency in ms. So are the others.</param>
/// <param name="Goroutines">-1 where the target does not tell.</param>
internal sealed record SoakSample(
    double Minute, long Count, double P50, double P99, double P999, double Max, double CpuMicroseconds, double Others, long PrivateBytes, long ResidentBytes,
    int Descriptors, int Goroutines);

[JsonSourceGenerationOptions(WriteIndented = false)]
[JsonSerializable(typeof(LoadResults))]
internal sealed partial class ResultsContext : JsonSerializerContext;
