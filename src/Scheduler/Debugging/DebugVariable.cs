using System.Globalization;

namespace NetGo;

/// <summary>The environment variable <c>NETGO_DEBUG</c>: words of the form <c>name=value</c> with commas between, as in Go's GODEBUG. It is for
/// <see cref="GoScheduler.Default"/>.</summary>
/// <param name="SchedTrace">Every how many milliseconds a line about the scheduler is printed; 0 for never.</param>
/// <param name="SchedDetail">With every processor, machine and goroutine.</param>
/// <param name="LongWait">For <see cref="SchedulerOptions.LongWait"/>, in seconds, 0 for never; null when nothing is said of it.</param>
/// <param name="Deadlock">For <see cref="SchedulerOptions.DeadlockAfter"/>, likewise.</param>
internal sealed record DebugVariable(int SchedTrace, bool SchedDetail, int? LongWait = null, int? Deadlock = null)
{
    private const string Name = "NETGO_DEBUG";

    public static DebugVariable Read(TextWriter errors) => Parse(Environment.GetEnvironmentVariable(Name) ?? "", errors);

    /// <summary>What is not understood is said, and left out.</summary>
    public static DebugVariable Parse(string text, TextWriter errors)
    {
        var settings = new DebugVariable(0, false);
        foreach (string word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? word : word[..equals];
            bool isNumber = int.TryParse(word.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && equals > 0;
            switch (name)
            {
                case "schedtrace" when isNumber:
                    settings = settings with { SchedTrace = value };
                    break;
                case "scheddetail" when isNumber:
                    settings = settings with { SchedDetail = value != 0 };
                    break;
                case "longwait" when isNumber:
                    settings = settings with { LongWait = value };
                    break;
                case "deadlock" when isNumber:
                    settings = settings with { Deadlock = value };
                    break;
                default:
                    errors.WriteLine($"netgo: {Name}: \"{word}\" is left out: it knows schedtrace=MILLISECONDS, scheddetail=0 or 1, longwait=SECONDS and deadlock=SECONDS.");
                    break;
            }
        }
        return settings;
    }

    /// <summary>The options of a scheduler with these settings.</summary>
    public SchedulerOptions ToOptions()
    {
        var options = new SchedulerOptions();
        if (LongWait is { } longWait)
            options.LongWait = SecondsOrNever(longWait);
        if (Deadlock is { } deadlock)
            options.DeadlockAfter = SecondsOrNever(deadlock);
        return options;
    }

    private static TimeSpan SecondsOrNever(int seconds) => seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
}
