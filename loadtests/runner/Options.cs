using System.Globalization;

namespace NetGo.LoadTests;

/// <summary>The command line.</summary>
internal sealed record Options
{
    private const string Text = """
        usage: run [options]              every scenario against every target, and a report
               run soak [options]         one target at a fixed rate for long, and a report
               run report FILE... [--output FOLDER]
                                          the report again, from the results.json of a run, beside it or in FOLDER. Of several runs it is
                                          one, in which what a later one has of a scenario replaces all that an earlier one has of it

          --targets A,B,...      those of loadtests/README.md (floor,netgo,aspnet,aspnet-netpoll,go,nginx,h2o,haproxy; nginx, h2o and
                                 haproxy only where they are installed; soak: netgo)
          --scenarios A,B,...    (all: SCENARIOS)
          --rounds N             with new processes (2)
          --slices N             in which each target is measured in turn, in a round (3)
          --seconds S            of a slice (2)
          --rate-seconds S       at a fixed rate (6), in as many slices where opening the connections costs little, each of whole seconds
          --warmup S             of a new process (15; Kestrel on one core needs as much)
          --settle S             before each scenario, and before what is measured at a fixed rate (2)
          --rate R               requests/s at the fixed rate (half of what the slowest target does in the scenario, at most 20,000;
                                 soak: half of what the target does)
          --server-cores LIST    as taskset takes them (0)
          --client-cores LIST    (1)
          --port P               the first of as many as there are targets (18200)
          --output FOLDER        gets results.json, report.md and report.html (loadtests/results/run-TIME)
          --minutes M            of a soak (60)
          --no-build             use what is in loadtests/build/
          --quick                1 round, 1 slice, and seconds so short that only errors are found
        """;

    private static readonly string[] s_targets = ["floor", "netgo", "aspnet", "aspnet-netpoll", "go", "nginx", "h2o", "haproxy"];
    private static readonly string[] s_packaged = ["nginx", "h2o", "haproxy"];

    public bool Soaks { get; init; }

    public IReadOnlyList<string> Reports { get; init; } = [];

    public IReadOnlyList<string> Targets { get; init; } = [];

    public IReadOnlyList<Scenario> Scenarios { get; init; } = Scenario.All;

    public int Rounds { get; init; } = 2;

    public int Slices { get; init; } = 3;

    public double Seconds { get; init; } = 2;

    public double RateSeconds { get; init; } = 6;

    public double Warmup { get; init; } = 15;

    public double Settle { get; init; } = 2;

    public double? Rate { get; init; }

    public string ServerCores { get; init; } = "0";

    public string ClientCores { get; init; } = "1";

    public int Port { get; init; } = 18200;

    public string? Output { get; init; }

    public double Minutes { get; init; } = 60;

    public bool Builds { get; init; } = true;

    public static string Usage => Text.Replace("SCENARIOS", string.Join(',', Scenario.All.Select(static s => s.Name)), StringComparison.Ordinal);

    /// <summary>The cores of a list as taskset takes it: 0,2-3.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static IReadOnlyList<int> CoresOf(string list)
    {
        var cores = new List<int>();
        foreach (string part in list.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last) || last < first)
                throw new FormatException($"'{list}' is not a list of cores as 0 or 0,1 or 0-3");
            cores.AddRange(Enumerable.Range(first, last - first + 1));
        }
        return cores;
    }

    /// <exception cref="FormatException">They are not understood; the message says why.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options();
        int at = 0;
        if (args is ["report", ..])
            return ParseReport(args[1..]);
        if (args is ["soak", ..])
        {
            options = options with { Soaks = true };
            at = 1;
        }
        string[]? targets = null;
        while (at < args.Length)
        {
            string name = args[at++];
            switch (name)
            {
                case "--no-build": options = options with { Builds = false }; continue;
                case "--quick": options = options with { Rounds = 1, Slices = 1, Seconds = 0.5, RateSeconds = 1, Warmup = 0.5, Settle = 0.2 }; continue;
            }
            string Value() => at < args.Length ? args[at++] : throw new FormatException($"{name} needs a value");
            switch (name)
            {
                case "--targets": targets = Value().Split(','); break;
                case "--scenarios": options = options with { Scenarios = [.. Value().Split(',').Select(ScenarioOf)] }; break;
                case "--rounds": options = options with { Rounds = (int)Number(1, 1000) }; break;
                case "--slices": options = options with { Slices = (int)Number(1, 1000) }; break;
                case "--seconds": options = options with { Seconds = Number(0.1, 3600) }; break;
                case "--rate-seconds": options = options with { RateSeconds = Number(1, 3600) }; break;
                case "--warmup": options = options with { Warmup = Number(0.1, 3600) }; break;
                case "--settle": options = options with { Settle = Number(0.1, 3600) }; break;
                case "--rate": options = options with { Rate = Number(1, 1_000_000) }; break;
                case "--minutes": options = options with { Minutes = Number(0.1, 100_000) }; break;
                case "--port": options = options with { Port = (int)Number(1, 65_000) }; break;
                case "--server-cores": options = options with { ServerCores = Cores() }; break;
                case "--client-cores": options = options with { ClientCores = Cores() }; break;
                case "--output": options = options with { Output = Value() }; break;
                default: throw new FormatException($"'{name}' is not understood");
            }

            double Number(double least, double most)
            {
                string text = Value();
                return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number >= least && number <= most
                    ? number
                    : throw new FormatException($"{name} must be {least} to {most}, not '{text}'");
            }

            string Cores()
            {
                string list = Value();
                CoresOf(list);
                return list;
            }
        }
        return options with
        {
            Targets = targets ?? (options.Soaks ? ["netgo"] : [.. s_targets.Where(static t => !s_packaged.Contains(t) || Tool.IsInstalled(t))]),
        };
    }

    private static Options ParseReport(string[] args)
    {
        string? output = null;
        if (args is [.. string[] files, "--output", string folder])
            (args, output) = (files, folder);
        if (args.Length == 0)
            throw new FormatException("report needs the results.json of a run");
        if (args.FirstOrDefault(static a => a.StartsWith('-')) is { } option)
            throw new FormatException($"'{option}' is not understood");
        if (args.Length > 1 && output is null)
            throw new FormatException("a report of several runs needs --output at its end");
        return new Options { Reports = args, Output = output };
    }

    private static Scenario ScenarioOf(string name) =>
        Scenario.All.FirstOrDefault(s => s.Name == name)
        ?? throw new FormatException($"there is no scenario '{name}' ({string.Join(", ", Scenario.All.Select(static s => s.Name))})");
}
