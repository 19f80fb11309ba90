using System.Globalization;

/// <summary>What <c>netgo PORT [--protocol P] [--watch KIND]</c> says.</summary>
/// <param name="Port">The port of 127.0.0.1 to listen on.</param>
/// <param name="Tls">Whether it speaks TLS.</param>
/// <param name="Watch">What is listened to, see <see cref="Watching"/>; null for nothing.</param>
internal sealed record CommandLine(int Port, bool Tls, string? Watch)
{
    private static readonly string[] s_protocols = ["http", "https"];

    public static string Usage { get; } =
        $"usage: netgo PORT [--protocol {string.Join('|', s_protocols)}]{(Watching.Kinds.Count > 0 ? $" [--watch {string.Join('|', Watching.Kinds)}]" : "")}";

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="FormatException">They are not understood; the message says why.</exception>
    public static CommandLine Parse(string[] args)
    {
        int? port = null;
        string protocol = s_protocols[0];
        string? watch = null;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--protocol")
                protocol = Choice(args, ++i, s_protocols);
            else if (args[i] == "--watch")
                watch = Choice(args, ++i, Watching.Kinds);
            else if (port is null && ushort.TryParse(args[i], NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) && number != 0)
                port = number;
            else
                throw new FormatException($"'{args[i]}' is not understood");
        }
        return new CommandLine(port ?? throw new FormatException("a port is needed"), protocol == "https", watch);
    }

    private static string Choice(string[] args, int at, IReadOnlyList<string> choices)
    {
        string option = args[at - 1];
        if (at >= args.Length)
            throw new FormatException($"{option} needs a name");
        return choices.Contains(args[at]) ? args[at] : throw new FormatException($"{option} is not '{args[at]}' but one of {string.Join(", ", choices)}");
    }
}
