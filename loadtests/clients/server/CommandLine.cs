using System.Globalization;

namespace ClientsServer;

/// <summary>What <c>clients-server PORT FOLDER [--timeout SECONDS] [--ledger FILE]</c> says.</summary>
/// <param name="Port">The port of 127.0.0.1 to listen on.</param>
/// <param name="Folder">Whose files are served below /files/.</param>
internal sealed record CommandLine(ushort Port, string Folder)
{
    public const string Usage = "usage: clients-server PORT FOLDER [--timeout SECONDS] [--ledger FILE]";

    /// <summary>Of heads, reads, writes and idle connections; null for the defaults.</summary>
    public TimeSpan? Timeout { get; private init; }

    /// <summary>Where the <see cref="Ledger"/> is written; null for nowhere.</summary>
    public string? Ledger { get; private init; }

    /// <summary>Reads the arguments; null when they are not understood.</summary>
    public static CommandLine? Parse(ReadOnlySpan<string> args)
    {
        if (args.Length < 2 || !ushort.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return null;
        var line = new CommandLine(port, args[1]);
        for (args = args[2..]; args.Length >= 2; args = args[2..])
        {
            if (args[0] == "--ledger")
                line = line with { Ledger = args[1] };
            else if (args[0] == "--timeout" && int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds > 0)
                line = line with { Timeout = TimeSpan.FromSeconds(seconds) };
            else
                return null;
        }
        return args.IsEmpty ? line : null;
    }
}
