using System.Globalization;

namespace Deployment;

/// <summary>What the command line says.</summary>
internal sealed record ServiceOptions(string Address, TimeSpan Drain, TimeSpan Grace)
{
    /// <summary>Reads it, or says what is wrong with it.</summary>
    public static bool TryParse(string[] args, out ServiceOptions options, out string problem)
    {
        options = new ServiceOptions(":8080", TimeSpan.Zero, TimeSpan.FromSeconds(30));
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length)
            {
                problem = $"{args[i]} is unknown, or lacks its value.";
                return false;
            }
            ServiceOptions? next = args[i] switch
            {
                "--listen" => options with { Address = args[i + 1] },
                "--drain" when Seconds(args[i + 1]) is { } drain => options with { Drain = drain },
                "--grace" when Seconds(args[i + 1]) is { } grace => options with { Grace = grace },
                _ => null,
            };
            if (next is null)
            {
                problem = args[i] is "--drain" or "--grace"
                    ? $"{args[i]} is \"{args[i + 1]}\": it must be a number of seconds, from 0 to 3600."
                    : $"{args[i]} is unknown.";
                return false;
            }
            options = next;
        }
        problem = "";
        return true;
    }

    private static TimeSpan? Seconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds <= 3600
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
