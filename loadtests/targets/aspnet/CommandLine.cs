using System.Globalization;

namespace AspNetTarget;

/// <summary>What <c>aspnet PORT [--transport sockets]</c> says.</summary>
/// <param name="Port">The port of 127.0.0.1 to listen on.</param>
internal sealed record CommandLine(int Port)
{
    public const string Usage = "usage: aspnet PORT [--transport sockets]";

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="FormatException">They are not understood; the message says why.</exception>
    public static CommandLine Parse(string[] args)
    {
        int? port = null;
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] == "--transport")
            {
                string transport = ++i < args.Length ? args[i] : throw new FormatException("--transport needs a name");
                if (transport != "sockets")
                    throw new FormatException($"the transport '{transport}' is not available, only 'sockets' is");
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
        return new CommandLine(port ?? throw new FormatException("a port is needed"));
    }
}
