using System.Diagnostics;

namespace NetGo.Diagnostics;

/// <summary>The threads of the process. Where they were made nobody notes, so they go by their names.</summary>
internal static class ThreadProfile
{
    private const string TasksOfThisProcess = "/proc/self/task";

    public static Profile Take()
    {
        var profile = new Profile(new ProfileUnit("threadcreate", "count")) { Period = 1, PeriodUnit = new ProfileUnit("threadcreate", "count") };
        foreach (string name in Names())
            profile.Add(new ProfileStack([new GoroutineFrame(name, null, 0)]), 1);
        return profile;
    }

    private static IEnumerable<string> Names()
    {
        if (!Directory.Exists(TasksOfThisProcess))
        {
            using var process = Process.GetCurrentProcess();
            return Enumerable.Repeat("thread", process.Threads.Count).ToArray();
        }
        return Directory.EnumerateDirectories(TasksOfThisProcess).Select(NameOf).OfType<string>();
    }

    // Null when the thread has ended meanwhile. Numbers at the end only tell threads of a kind apart.
    private static string? NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).TrimEnd().TrimEnd("0123456789".ToCharArray());
        }
        catch (IOException)
        {
            return null;
        }
    }
}
