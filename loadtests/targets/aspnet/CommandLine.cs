using System.Globalization;

namespace AspNetTarget;

/// <summary>What <c>aspnet PORT [--transport T] [--protocol P]</c> says.</summary>
/// <param name="Port">The port of 127.0.0.1 to listen on.</param>
/// <param name="Transport">What Kestrel gets its connections from.</param>
/// <param name="Protocol">What it speaks: HTTP/1.1, the same over TLS, or HTTP/2 without TLS.</param>
internal sealed record CommandLine(int Port, string Transport, string Protocol)
{
    public const string Usage = "usage: aspnet PORT [--transport sockets|sockets-inline|netpoll] [--protocol http|https|h2c]";

    private static readonly string[] s_transports = ["sockets", "sockets-inline", "netpoll"];
    private static readonly string[] s_protocols = ["http", "https", "h2c"];

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="FormatException">They are not understood; the message says why.</exception>
    public static CommandLine Parse(string[] args)
    {
        int? port = null;
        string transport = s_transports[0];
        string protocol = s_protocols[0];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--transport")
            {
                transport = Choice(args, ++i, s_transports);
            }
            else if (args[i] == "--protocol")
            {
                protocol = Choice(args, ++i, s_protocols);
            }
            else if (port is null
                     && ushort.TryParse(args[i], NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)
                     && number != 0)
            {
                port = number;
            }
            else
            {
                throw new FormatException($"'{args[i]}' is not understood");
            }
        }
        return new CommandLine(port ?? throw new FormatException("a port is needed"), transport, protocol);
    }

    private static string Choice(string[] args, int at, string[] choices)
    {
        string option = args[at - 1];
        if (at >= args.Length)
            throw new FormatException($"{option} needs a name");
        return choices.Contains(args[at])
            ? args[at]
            : throw new FormatException($"{option} is not '{args[at]}' but one of {string.Join(", ", choices)}");
    }
}
