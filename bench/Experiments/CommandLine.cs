using System.Globalization;

namespace Experiments;

/// <summary>How an experiment is run.</summary>
/// <param name="Rounds">How often each variant is measured.</param>
/// <param name="Seconds">How long each time.</param>
/// <param name="IsShort">To see that it runs: the figures are worth nothing.</param>
/// <param name="RateClient">The program loadtests/rate.</param>
/// <param name="IdleClient">The program loadtests/idle.</param>
/// <param name="GoServer">The program in go/; null without it.</param>
internal sealed record CommandLine(int Rounds, double Seconds, bool IsShort, string RateClient, string IdleClient, string? GoServer)
{
    /// <summary>For how many seconds before that there is load already.</summary>
    public double WarmUp => IsShort ? 0.05 : 0.3;

    public static CommandLine Parse(ReadOnlySpan<string> args, Experiment experiment)
    {
        var options = new CommandLine(experiment.Rounds, experiment.Seconds, false, "rate", "idle", null);
        for (int i = 0; i < args.Length; i += 2)
        {
            if (args[i] == "--short")
            {
                options = options with { Rounds = 1, Seconds = 0.2, IsShort = true };
                i--;
                continue;
            }
            if (i + 1 == args.Length)
                throw new CommandLineException($"{args[i]} needs a value.");
            string value = args[i + 1];
            options = args[i] switch
            {
                "--rounds" => options with { Rounds = Number(value, 1, 1000) },
                "--seconds" => options with { Seconds = ParseSeconds(value) },
                "--rate" => options with { RateClient = Existing(value) },
                "--idle" => options with { IdleClient = Existing(value) },
                "--go" => options with { GoServer = Existing(value) },
                _ => throw new CommandLineException($"There is no option {args[i]}."),
            };
        }
        return options;
    }

    public static int Number(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n >= least && n <= most
            ? n
            : throw new CommandLineException($"'{text}' is no number from {least} to {most}.");

    public static double ParseSeconds(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double s) && s is >= 0.1 and <= 600
            ? s
            : throw new CommandLineException($"'{text}' is no number of seconds from 0.1 to 600.");

    private static string Existing(string path) => File.Exists(path) ? path : throw new CommandLineException($"There is no program {path}: run.sh builds it.");
}

/// <summary>What was asked for is not to be had.</summary>
internal sealed class CommandLineException(string message) : Exception(message);
