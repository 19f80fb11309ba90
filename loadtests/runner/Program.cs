// The program behind loadtests/run.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using NetGo.LoadTests;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--help"] or ["-h"])
{
    Console.WriteLine(Options.Usage);
    return 0;
}
Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"run: {e.Message}\n{Options.Usage}");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
try
{
    return options.Reports.Count > 0 ? ReportAgain(options) : await MeasureAsync(options, args, stop.Token);
}
catch (LoadTestException e)
{
    Console.Error.WriteLine($"run: {e.Message}");
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("run: stopped");
    return 130;
}

static async Task<int> MeasureAsync(Options options, string[] args, CancellationToken cancellationToken)
{
    foreach (string tool in (string[])["taskset", "wrk", "curl", "gcc"])
    {
        if (!Tool.IsInstalled(tool))
            throw new LoadTestException($"{tool} is needed and not installed");
    }
    string output = options.Output ?? Path.Combine(Target.Folder, "results", $"run-{DateTime.UtcNow:yyyyMMdd-HHmmss}");
    string scratch = Directory.CreateTempSubdirectory("loadtests").FullName;
    Directory.CreateDirectory(output);
    // On one core .NET's JIT waits ten times as long before it optimizes, which is longer than any warm-up here.
    Environment.SetEnvironmentVariable("DOTNET_TC_DelaySingleProcMultiplier", "1");
    if (options.Builds)
    {
        Console.Error.WriteLine("building the targets and the clients");
        await Target.BuildAsync(options.Targets, cancellationToken);
        await Target.BuildClientsAsync(ClientsOf(options), cancellationToken);
    }
    var results = new LoadResults
    {
        Begun = DateTimeOffset.UtcNow,
        Command = string.Join(' ', ["loadtests/run", .. args.Where((a, i) => a != "--output" && (i == 0 || args[i - 1] != "--output"))]),
        ServerCores = options.ServerCores,
        ClientCores = options.ClientCores,
        Targets = options.Targets,
        Scenarios = options.Soaks ? [] : [.. options.Scenarios.Select(static s => s.Name)],
        Machine = Machine.Describe(options.Targets),
    };
    long begin = Stopwatch.GetTimestamp();
    try
    {
        if (options.Soaks)
            await new Soak(options, results, scratch).RunAsync(cancellationToken);
        else
            await new Runner(options, results, scratch).RunAsync(cancellationToken);
    }
    finally
    {
        results.Took = Stopwatch.GetElapsedTime(begin);
        Directory.Delete(scratch, recursive: true);
        if (results.Slices.Count + results.FixedRates.Count + results.Soaks.Count + results.Idle.Count > 0)
            Write(results, output);
    }
    foreach (Failure failure in results.Failures)
        Console.Error.WriteLine($"FAILED {failure.Scenario}, {failure.Target}: {failure.Message}");
    return results.Failures.Count == 0 ? 0 : 1;
}

static IEnumerable<string> ClientsOf(Options options)
{
    yield return "rate";
    if (!options.Soaks && options.Scenarios.Any(static s => s.Kind == ScenarioKind.Idle))
        yield return "idle";
    if (!options.Soaks && options.Scenarios.Any(static s => s.Kind == ScenarioKind.WebSocket))
        yield return "websocket";
}

static int ReportAgain(Options options)
{
    LoadResults results = options.Reports.Select(Read).Aggregate(static (earlier, later) => earlier.With(later));
    string folder = options.Output ?? Path.GetDirectoryName(Path.GetFullPath(options.Reports[0]))!;
    Directory.CreateDirectory(folder);
    Write(results, folder);
    return 0;

    static LoadResults Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ResultsContext.Default.LoadResults) ?? throw new LoadTestException($"{file} has no results");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new LoadTestException($"{file}: {e.Message}");
        }
    }
}

static void Write(LoadResults results, string folder)
{
    File.WriteAllBytes(Path.Combine(folder, "results.json"), JsonSerializer.SerializeToUtf8Bytes(results, ResultsContext.Default.LoadResults));
    File.WriteAllText(Path.Combine(folder, "report.md"), MarkdownReport.Write(results));
    File.WriteAllText(Path.Combine(folder, "report.html"), HtmlReport.Write(results));
    Console.WriteLine($"{folder}/report.md and report.html");
}
