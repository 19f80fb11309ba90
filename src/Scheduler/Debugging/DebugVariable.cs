using System.Globalization;

namespace NetGo;

/// <summary>The environment variable <c>NETGO_DEBUG</c>: words of the form <c>name=value</c> with commas between, as in Go's GODEBUG. It is for
/// <see cref="GoScheduler.Default"/>.</summary>
/// <param name="SchedTrace">Every how many milliseconds a line about the scheduler is printed; 0 for never.</param>
/// <param name="SchedDetail">With every processor, machine and goroutine.</param>
internal sealed record DebugVariable(int SchedTrace, bool SchedDetail)
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
                default:
                    errors.WriteLine($"netgo: {Name}: \"{word}\" is left out: it knows schedtrace=MILLISECONDS and scheddetail=0 or 1.");
                    break;
            }
        }
        return settings;
    }
}
