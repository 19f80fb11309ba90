using System.Globalization;

namespace NetGo.LoadTests;

/// <summary>Puts what was measured into tables and charts.</summary>
internal static class DocumentBuilder
{
    private const double Mebibyte = 1024 * 1024;

    private static readonly (string Name, string Title)[] s_bases = [("floor", "to floor"), ("go", "to Go"), ("aspnet", "to aspnet")];

    public static Document Build(LoadResults results)
    {
        var sections = new List<Section>();
        if (results.Slices.Count > 0)
            sections.Add(Comparison(results));
        foreach (Scenario scenario in Scenario.All.Where(s => results.Scenarios.Contains(s.Name)))
        {
            Section? section = scenario.Kind switch
            {
                ScenarioKind.Load or ScenarioKind.WebSocket => OfLoad(results, scenario),
                ScenarioKind.Idle => OfIdle(results, scenario),
                _ => OfFixedRate(results, scenario),
            };
            if (section is not null)
                sections.Add(section);
        }
        sections.AddRange(results.Soaks.Select(OfSoak));
        if (results.Failures.Count > 0)
        {
            sections.Add(new Section(
                "What failed", "",
                [new Table("", ["Scenario", "Target", "Why"], [.. results.Failures.Select(static f => (IReadOnlyList<string>)[f.Scenario, f.Target, f.Message])])], []));
        }
        string others = results.Slices.Count > 0
            ? $" Others than the server and its client took {Percent(Statistics.Median(results.Slices.Select(static s => s.Others)))} of a core in the median slice, and " +
              $"{Percent(results.Slices.Max(static s => s.Others))} in the worst."
            : "";
        return new Document(
            results.Soaks.Count > 0 ? "A soak" : "Load tests",
            [
                $"Begun {results.Begun.UtcDateTime:yyyy-MM-dd HH:mm} UTC, took {results.Took.TotalMinutes:F0} min: `{results.Command}`. " +
                $"Server on core {results.ServerCores}, client on core {results.ClientCores}." + others,
                string.Join("; ", results.Machine.Select(static f => $"{f.Name}: {f.Value}")) + ".",
                "CPU is processor time of the server (user and system, all its threads and processes) for a request. Figures are medians over the slices, " +
                "ratios are medians of those within the same slice, with their quartiles. Latency at full load is that of a closed loop: each connection waits for the " +
                "answer before it asks again, so a stall hides what was not asked. Latency at a fixed rate runs from when a request was due, which corrects it for " +
                "coordinated omission; the rate is the same for all targets.",
            ],
            sections);
    }

    // ---- NetGo and the others ----

    private static Section Comparison(LoadResults results)
    {
        var tables = new List<Table>();
        foreach ((string target, string to) in ((string, string)[])
            [("netgo", "go"), ("netgo", "aspnet"), ("aspnet-netpoll", "aspnet"), ("netgo", "nginx"), ("netgo", "h2o"), ("netgo", "haproxy"), ("netgo", "floor")])
        {
            var rows = new List<IReadOnlyList<string>>();
            foreach (Scenario scenario in Scenario.All)
            {
                Slice[] slices = [.. results.Slices.Where(s => s.Scenario == scenario.Name)];
                Ratio? cpu = Statistics.RatioOf(slices, target, to, static s => s.CpuMicroseconds);
                Ratio? rate = Statistics.RatioOf(slices, target, to, static s => s.PerSecond);
                string p99 = string.Join(
                    ", ",
                    from own99 in results.FixedRates
                    join other in results.FixedRates on (own99.Scenario, own99.Variant) equals (other.Scenario, other.Variant)
                    where own99.Scenario == scenario.Name && own99.Target == target && other.Target == to
                    select (own99.Variant.Length > 0 ? $"{own99.Variant} " : "") + Judged(own99.At(0.99) / other.At(0.99), false));
                string memory = results.Idle.FirstOrDefault(i => i.Target == target) is { } own && results.Idle.FirstOrDefault(i => i.Target == to) is { } others
                    && scenario.Kind == ScenarioKind.Idle
                    ? Judged(own.PrivatePerConnection / others.PrivatePerConnection, false)
                    : "";
                if (cpu is not null || p99.Length > 0 || memory.Length > 0)
                    rows.Add([scenario.Title, Judged(cpu?.Median, false), Judged(rate?.Median, true), p99, memory]);
            }
            if (rows.Count > 0)
                tables.Add(new Table($"{target} to {to}", ["Scenario", "CPU per request", "Requests/s", "p99 at equal rate", "Memory of an idle connection"], rows));
        }
        return new Section("In short", "Ratios; those that are for the worse are marked with !.", tables, []);
    }

    private static string Judged(double? ratio, bool moreIsBetter) => ratio switch
    {
        null or double.NaN => "",
        double.PositiveInfinity => "to nothing" + (moreIsBetter ? "" : " !"),
        { } value => $"{value:F2}x" + ((moreIsBetter ? value < 1 : value > 1) ? " !" : ""),
    };

    // ---- A scenario ----

    private static Section? OfLoad(LoadResults results, Scenario scenario)
    {
        Slice[] slices = [.. results.Slices.Where(s => s.Scenario == scenario.Name)];
        if (slices.Length == 0)
            return null;
        FixedRate[] rates = [.. results.FixedRates.Where(f => f.Scenario == scenario.Name)];
        string[] targets = [.. results.Targets.Where(t => slices.Any(s => s.Target == t))];
        string unit = scenario.Unit;
        (string Name, string Title)[] bases = [.. s_bases.Where(b => targets.Contains(b.Name))];
        var full = new Table(
            "Full load",
            ["Target", $"CPU us/{unit}", .. bases.Select(static b => b.Title), $"{unit}s/s", "Core", "p50 ms", "p99 ms", "Max ms", "Private MiB"],
            [.. targets.Select(t =>
                {
                    Slice[] own = [.. slices.Where(s => s.Target == t)];
                    string Median(Func<Slice, double> figure, string format) => Statistics.Median(own.Select(figure)).ToString(format, CultureInfo.InvariantCulture);
                    // With several requests at a time wrk may not know the percentiles: it says 0.
                    string Known(Func<Slice, double> figure) => own.All(s => figure(s) > 0 && s.P99 > 0) ? Median(figure, "F2") : "";
                    return (IReadOnlyList<string>)
                    [
                        t, Median(static s => s.CpuMicroseconds, "F2"),
                        .. bases.Select(b => b.Name == t ? "1" : Text(Statistics.RatioOf(slices, t, b.Name, static s => s.CpuMicroseconds))),
                        Median(static s => s.PerSecond, "N0"), Percent(Statistics.Median(own.Select(static s => s.Core))), Known(static s => s.P50),
                        Known(static s => s.P99), own.Max(static s => s.Max).ToString("F1", CultureInfo.InvariantCulture),
                        Median(static s => s.PrivateBytes / Mebibyte, "F0"),
                    ];
                })]);
        var charts = new List<Chart>
        {
            new BarChart($"CPU per {unit}", "us", [.. targets.Select(t => (t, Statistics.Median(slices.Where(s => s.Target == t).Select(static s => s.CpuMicroseconds))))]),
            new BarChart($"{Capital(unit)}s per second", "/s", [.. targets.Select(t => (t, Statistics.Median(slices.Where(s => s.Target == t).Select(static s => s.PerSecond))))]),
            new BarChart("Private memory afterwards", "MiB", [.. targets.Select(t => (t, Statistics.Median(slices.Where(s => s.Target == t).Select(static s => s.PrivateBytes / Mebibyte))))]),
        };
        charts.AddRange(ChartsOf(rates, unit));
        return new Section(scenario.Title, scenario.Description, rates.Length == 0 ? [full] : [full, TableOf(rates, unit)], charts);
    }

    private static Section? OfFixedRate(LoadResults results, Scenario scenario)
    {
        FixedRate[] rates = [.. results.FixedRates.Where(f => f.Scenario == scenario.Name)];
        return rates.Length == 0 ? null : new Section(scenario.Title, scenario.Description, [TableOf(rates, scenario.Unit)], [.. ChartsOf(rates, scenario.Unit)]);
    }

    private static Table TableOf(FixedRate[] rates, string unit) => new(
        $"At {rates[0].PerSecond:N0} {unit}s/s",
        ["Target", "Mean ms", "p50", "p90", "p99", "p99.9", "p99.99", "Max", $"CPU us/{unit}", $"{Capital(unit)}s"],
        [.. rates.Select(static f => (IReadOnlyList<string>)
            [
                NameOf(f), Milliseconds(f.MeanMilliseconds), Milliseconds(f.At(0.5)), Milliseconds(f.At(0.9)), Milliseconds(f.At(0.99)), Milliseconds(f.At(0.999)),
                Milliseconds(f.At(0.9999)), Milliseconds(f.At(1)), f.CpuMicroseconds.ToString("F2", CultureInfo.InvariantCulture),
                f.Count.ToString("N0", CultureInfo.InvariantCulture),
            ])]);

    private static IEnumerable<Chart> ChartsOf(FixedRate[] rates, string unit)
    {
        if (rates.Length == 0)
            yield break;
        string title = $"Latency at {rates[0].PerSecond:N0} {unit}s/s";
        yield return new LineChart(
            title + " by percentile", $"of the {unit}s", "ms", [(0, "0"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "99.99 %"), (5, "99.999 %")], true,
            [.. rates.Select(static f => (NameOf(f), (IReadOnlyList<(double, double)>)
                [.. f.Percentiles.Where(static p => p.Part < 1).Select(static p => (-Math.Log10(1 - p.Part), p.Milliseconds))]))]);
        int seconds = rates.Max(static f => f.Seconds.Count);
        int step = Math.Max(1, (seconds + 9) / 10);
        yield return new LineChart(
            title + " over time, p99 of each second", "s", "ms",
            [.. Enumerable.Range(0, (seconds / step) + 1).Select(i => ((double)(i * step), $"{i * step}"))], true,
            [.. rates.Select(static f => (NameOf(f), (IReadOnlyList<(double, double)>)[.. f.Seconds.Select(static (s, i) => (i + 0.5, s.P99))]))]);
    }

    private static string NameOf(FixedRate rate) => rate.Variant.Length == 0 ? rate.Target : $"{rate.Target}, {rate.Variant}";

    private static Section? OfIdle(LoadResults results, Scenario scenario) => results.Idle.Count == 0
        ? null
        : new Section(
            scenario.Title, scenario.Description,
            [
                new Table(
                    "", ["Target", "Private bytes each", "Resident bytes each", "Connections", "Answered afterwards"],
                    [.. results.Idle.Select(static i => (IReadOnlyList<string>)
                        [
                            i.Target, i.PrivatePerConnection.ToString("N0", CultureInfo.InvariantCulture), i.ResidentPerConnection.ToString("N0", CultureInfo.InvariantCulture),
                            i.Connections.ToString("N0", CultureInfo.InvariantCulture), i.Answered.ToString("N0", CultureInfo.InvariantCulture),
                        ])]),
            ],
            [new BarChart("Private memory of an idle connection", "bytes", [.. results.Idle.Select(static i => (i.Target, Math.Max(0, i.PrivatePerConnection)))])]);

    private static Section OfSoak(SoakResults soak)
    {
        double minutes = soak.Samples.Count == 0 ? 0 : soak.Samples[^1].Minute;
        double step = Math.Max(1, Math.Ceiling(minutes / 10));
        (double, string)[] ticks = [.. Enumerable.Range(0, (int)(minutes / step) + 1).Select(i => (i * step, $"{i * step}"))];
        LineChart Line(string title, string unit, params (string Name, Func<SoakSample, double> Figure)[] lines) => new(
            title, "min", unit, ticks, false,
            [.. lines.Select(l => (l.Name, (IReadOnlyList<(double, double)>)[.. soak.Samples.Select(s => (s.Minute, l.Figure(s)))]))]);
        var rows = new List<IReadOnlyList<string>>();
        foreach ((string name, IEnumerable<SoakSample> samples) in ((string, IEnumerable<SoakSample>)[])
                 [("first tenth", soak.Samples.Take(Math.Max(1, soak.Samples.Count / 10))), ("all", soak.Samples), ("last tenth", soak.Samples.TakeLast(Math.Max(1, soak.Samples.Count / 10)))])
        {
            SoakSample[] part = [.. samples];
            string Median(Func<SoakSample, double> figure, string format) => Statistics.Median(part.Select(figure)).ToString(format, CultureInfo.InvariantCulture);
            rows.Add(
                [
                    name, Median(static s => s.P50, "F2"), Median(static s => s.P99, "F2"), Median(static s => s.P999, "F2"), part.Max(static s => s.Max).ToString("F1", CultureInfo.InvariantCulture),
                    Median(static s => s.CpuMicroseconds, "F2"), Median(static s => s.PrivateBytes / Mebibyte, "F1"), Median(static s => s.ResidentBytes / Mebibyte, "F1"),
                    Median(static s => s.Descriptors, "F0"), Median(static s => s.Goroutines, "F0"),
                ]);
        }
        return new Section(
            $"{soak.Target} at {soak.PerSecond:N0} requests/s for {minutes:F0} min",
            $"GET /plaintext over 64 connections, which are opened anew every {(soak.Samples.Count == 0 ? 0 : 60 * minutes / soak.Samples.Count):F0} s, and 100/s more over a connection each; {soak.Samples.Sum(static s => s.Count):N0} requests, every answer's status and " +
            "length checked. Medians of the samples, but for the maximum; memory, descriptors and goroutines are looked at under load.",
            [new Table("", ["", "p50 ms", "p99 ms", "p99.9 ms", "Max ms", "CPU us/request", "Private MiB", "Resident MiB", "Descriptors", "Goroutines"], rows)],
            [
                Line("Memory", "MiB", ("private", static s => s.PrivateBytes / Mebibyte), ("resident", static s => s.ResidentBytes / Mebibyte)),
                Line("Descriptors and goroutines", "", ("descriptors", static s => s.Descriptors), ("goroutines", static s => s.Goroutines)),
                Line("Latency", "ms", ("p50", static s => s.P50), ("p99", static s => s.P99)),
                Line("Processor time of a request", "us", ("CPU", static s => s.CpuMicroseconds)),
                Line("What others took of the cores", "cores", ("others", static s => s.Others)),
            ]);
    }

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    private static string Text(Ratio? ratio) => ratio is null ? "" : $"{ratio.Median:F2}x ({ratio.Low:F2}-{ratio.High:F2})";

    private static string Milliseconds(double value) => value.ToString(value < 10 ? "F2" : "F1", CultureInfo.InvariantCulture);

    private static string Percent(double cores) => $"{100 * cores:F0} %";
}
