using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NetGo.LoadTests;

/// <summary>Where it was measured, and with what.</summary>
internal static class Machine
{
    public static IReadOnlyList<MachineFact> Describe(IEnumerable<string> targets)
    {
        var facts = new List<MachineFact>
        {
            new("Processor", $"{Environment.ProcessorCount} x {LineOf("/proc/cpuinfo", "model name")}"),
            new("Memory", $"{LineOf("/proc/meminfo", "MemTotal")}"),
            new("System", $"{LineOf("/etc/os-release", "PRETTY_NAME").Trim('"')}, Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}"),
            new(".NET", RuntimeInformation.FrameworkDescription),
        };
        facts.Add(new MachineFact("wrk", FirstLine("wrk", "--version")));
        facts.Add(new MachineFact("gcc", FirstLine("gcc", "--version")));
        foreach (string name in targets.Select(static t => t.Split('-')[0]).Distinct())
        {
            switch (name)
            {
                case "go": facts.Add(new MachineFact("Go", FirstLine("go", "version"))); break;
                case "nginx": facts.Add(new MachineFact("nginx", FirstLine("nginx", "-v"))); break;
                case "h2o": facts.Add(new MachineFact("h2o", FirstLine("h2o", "--version"))); break;
                case "haproxy": facts.Add(new MachineFact("haproxy", FirstLine("haproxy", "-v"))); break;
            }
        }
        return facts;
    }

    private static string LineOf(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split([':', '='], 2)[^1].Trim() ?? "unknown";

    private static string FirstLine(string program, string argument)
    {
        try
        {
            using Process process = Tool.Start([program, argument]);
            string text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            return text.Split('\n')[0].Trim();
        }
        catch (LoadTestException)
        {
            return "not installed";
        }
    }
}
