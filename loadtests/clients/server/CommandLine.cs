using System.Globalization;

namespace ClientsServer;

/// <summary>What <c>clients-server PORT FOLDER [--timeout SECONDS]</c> says.</summary>
/// <param name="Port">The port of 127.0.0.1 to listen on.</param>
/// <param name="Folder">Whose files are served below /files/.</param>
/// <param name="Timeout">Of heads, reads, writes and idle connections; null for the defaults.</param>
internal sealed record CommandLine(ushort Port, string Folder, TimeSpan? Timeout)
{
    public const string Usage = "usage: clients-server PORT FOLDER [--timeout SECONDS]";

    /// <summary>Reads the arguments; null when they are not understood.</summary>
    public static CommandLine? Parse(string[] args)
    {
        if (args.Length is not (2 or 4) || !ushort.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return null;
        if (args.Length == 2)
            return new CommandLine(port, args[1], null);
        return args[2] == "--timeout" && int.TryParse(args[3], NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds > 0
            ? new CommandLine(port, args[1], TimeSpan.FromSeconds(seconds))
            : null;
    }
}
