using System.Diagnostics;

namespace NetGo.LoadTests;

/// <summary>Programs that are run for what they print.</summary>
internal static class Tool
{
    /// <summary>Runs it to its end.</summary>
    /// <returns>What it wrote to its standard output.</returns>
    /// <exception cref="LoadTestException">It is not there, it failed, or it took longer than <paramref name="limit"/>.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> command, TimeSpan limit, CancellationToken cancellationToken)
    {
        using Process process = Start(command);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(bound.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(bound.Token);
            await process.WaitForExitAsync(bound.Token);
            return process.ExitCode == 0
                ? await output
                : throw new LoadTestException($"{Name(command)} ended with {process.ExitCode}: {LastLines(await errors + await output)}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LoadTestException($"{Name(command)} has not ended after {limit.TotalSeconds:F0} s");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    public static Process Start(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new LoadTestException($"{command[0]} cannot be started: {e.Message}");
        }
    }

    public static bool IsInstalled(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>What `name value ...` lines say.</summary>
    public static Dictionary<string, double> Figures(string output)
    {
        var figures = new Dictionary<string, double>();
        foreach (string line in output.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && double.TryParse(words[1], out double value))
                figures[words[0]] = value;
        }
        return figures;
    }

    /// <summary>A client's command, on these cores. What it offers where there is TLS is the same for all targets.</summary>
    public static IEnumerable<string> Client(string cores, string protocol, IEnumerable<string> command) =>
        [.. protocol == "https" ? ["env", $"OPENSSL_CONF={Path.Combine(Target.Folder, "wrk", "tls.cnf")}"] : (string[])[], "taskset", "-c", cores, .. command];

    // Without what only says how it runs.
    private static string Name(IReadOnlyList<string> command)
    {
        int at = command.ToList().IndexOf("taskset");
        return Path.GetFileName(command[at < 0 ? 0 : at + 3]);
    }

    private static string LastLines(string text)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join("; ", lines.TakeLast(8));
    }
}
