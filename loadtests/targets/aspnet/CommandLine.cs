using System.Globalization;

namespace AspNetTarget;

/// <summary>What <c>aspnet PORT [--transport sockets|sockets-inline|netpoll]</c> says.</summary>
/// <param name="Port">The port of 127.0.0.1 to listen on.</param>
/// <param name="Transport">What Kestrel gets its connections from.</param>
internal sealed record CommandLine(int Port, string Transport)
{
    public const string Usage = "usage: aspnet PORT [--transport sockets|sockets-inline|netpoll]";

    private static readonly string[] s_transports = ["sockets", "sockets-inline", "netpoll"];

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="FormatException">They are not understood; the message says why.</exception>
    public static CommandLine Parse(string[] args)
    {
        int? port = null;
        string transport = s_transports[0];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--transport")
            {
                transport = ++i < args.Length ? args[i] : throw new FormatException("--transport needs a name");
                if (!s_transports.Contains(transport))
                    throw new FormatException($"there is no transport '{transport}' ({string.Join(", ", s_transports)})");
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
        return new CommandLine(port ?? throw new FormatException("a port is needed"), transport);
    }
}
