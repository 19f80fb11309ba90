using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace NetGo.LoadTests.Tests;

public sealed partial class ReportTests
{
    [Fact]
    public void Every_row_of_a_table_has_as_many_cells_as_its_head()
    {
        int columns = 0;
        int tables = 0;
        foreach (string line in MarkdownReport.Write(Results()).Split('\n'))
        {
            if (!line.StartsWith('|'))
            {
                columns = 0;
                continue;
            }
            int count = Bar().Count(line);
            tables += columns == 0 ? 1 : 0;
            Assert.True(columns == 0 || columns == count, line);
            columns = count;
        }
        Assert.Equal(6, tables);
    }

    [Fact]
    public void What_is_for_the_worse_is_marked_and_nothing_else()
    {
        string report = MarkdownReport.Write(Results());
        Assert.Contains("| Plaintext | 0.50x | 2.00x | 1.50x ! |", report, StringComparison.Ordinal); // less CPU, more requests, a longer p99
        Assert.Contains("| Idle connections |  |  |  | 0.10x |", report, StringComparison.Ordinal);
        Assert.DoesNotContain("netgo to nginx", report, StringComparison.Ordinal); // which was not there
    }

    [Fact]
    public void What_is_compared_with_nothing_has_no_ratio()
    {
        LoadResults results = Results();
        results.Idle.Clear();
        results.Idle.AddRange([new IdleMemory("netgo", 10_000, 1000, 2000, 10_000), new IdleMemory("go", 10_000, 0, 2000, 10_000)]);
        Assert.Contains("| Idle connections |  |  |  | to nothing ! |", MarkdownReport.Write(results), StringComparison.Ordinal);
        results.Idle[0] = results.Idle[1] with { Target = "netgo" };
        Assert.DoesNotMatch(@"\| Idle connections \|  \|.*x", MarkdownReport.Write(results));
    }

    [Fact]
    public void What_failed_is_said()
    {
        LoadResults results = Results();
        results.Failures.Add(new Failure("json", "go", "3 of 5 answers | were wrong"));
        Assert.Contains("| json | go | 3 of 5 answers \\| were wrong |", MarkdownReport.Write(results), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_needs_nothing_else_and_is_well_formed()
    {
        string page = HtmlReport.Write(Results());
        Assert.DoesNotMatch("src=|href=\"(?!#)|url\\(|@import|<script", page);
        foreach (Match svg in Drawing().Matches(page))
            Assert.Equal("svg", XDocument.Parse(svg.Value).Root!.Name.LocalName);
        Assert.InRange(Drawing().Count(page), 6, 100);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.Contains("&lt;odd&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<odd>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Results_that_were_read_again_make_the_same_report()
    {
        LoadResults results = Results();
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(results, ResultsContext.Default.LoadResults);
        LoadResults again = JsonSerializer.Deserialize(json, ResultsContext.Default.LoadResults)!;
        Assert.Equal(MarkdownReport.Write(results), MarkdownReport.Write(again));
        Assert.Equal(HtmlReport.Write(results), HtmlReport.Write(again));
    }

    [Fact]
    public void What_a_later_run_has_of_a_scenario_replaces_what_an_earlier_one_has()
    {
        LoadResults earlier = Results();
        earlier.Slices.Add(earlier.Slices[0] with { Scenario = "json" });
        earlier.FixedRates.Add(earlier.FixedRates[0] with { Scenario = "json" });
        LoadResults later = Results() with { Scenarios = ["plaintext", "json"], Targets = ["netgo", "h2o"], Command = "again" };
        later.Slices[0] = later.Slices[0] with { CpuMicroseconds = 77 };
        later.FixedRates.Clear(); // it was stopped before these
        later.Idle.Clear();
        later.Failures.Add(new Failure("json", "h2o", "stopped"));

        LoadResults both = earlier.With(later);
        Assert.Equal(["json", .. later.Slices.Select(static s => s.Scenario)], both.Slices.Select(static s => s.Scenario));
        Assert.Contains(both.Slices, static s => s.CpuMicroseconds == 77);
        Assert.Equal(earlier.FixedRates, both.FixedRates);
        Assert.Equal(earlier.Idle, both.Idle);
        Assert.Equal(["floor", "netgo", "go", "h2o"], both.Targets);
        Assert.Single(both.Failures);
        Assert.Contains("<odd>` and `again`", MarkdownReport.Write(both), StringComparison.Ordinal);

        later.FixedRates.Add(earlier.FixedRates[0] with { Count = 7 });
        later.Idle.Add(earlier.Idle[0] with { Answered = 7 });
        both = earlier.With(later);
        Assert.Equal([5000, 7], both.FixedRates.Select(static f => f.Count));
        Assert.Equal(7, Assert.Single(both.Idle).Answered);
        Assert.Throws<LoadTestException>(() => earlier.With(later with { ServerCores = "0,1" }));
    }

    private static LoadResults Results()
    {
        var results = new LoadResults
        {
            Begun = DateTimeOffset.UnixEpoch,
            Command = "loadtests/run --<odd>",
            ServerCores = "0",
            ClientCores = "1",
            Targets = ["floor", "netgo", "go"],
            Scenarios = [.. Scenario.All.Select(static s => s.Name)],
            Machine = [new MachineFact("System", "one")],
        };
        foreach ((string target, double weight) in ((string, double)[])[("floor", 1), ("netgo", 2), ("go", 4)])
        {
            for (int number = 1; number <= 3; number++)
                results.Slices.Add(new Slice("plaintext", target, number, 100_000 / weight, 5 * weight, 1, 0.1, 1, 2, 3, 1 << 20, 2 << 20));
            double p99 = target == "netgo" ? 3 : 2;
            results.FixedRates.Add(new FixedRate(
                "plaintext", target, "", 1000, 5000, 9, 0.5, [new PercentileValue(0.5, 0.3), new PercentileValue(0.99, p99), new PercentileValue(1, 5)],
                [new SecondOfLatency(0.3, p99, 5)]));
            results.Idle.Add(new IdleMemory(target, 10_000, target == "go" ? 10_000 : 1000, 2000, 10_000));
        }
        results.Soaks.Add(new SoakResults("netgo", 1000, [new SoakSample(0.5, 30_000, 0.1, 0.2, 0.3, 5, 9, 0, 1 << 24, 1 << 25, 80, 70)]));
        return results;
    }

    [GeneratedRegex("""(?<!\\)\|""")]
    private static partial Regex Bar();

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Drawing();
}
