using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>The addresses that can be dialled, as text.</summary>
internal static class DialAddress
{
    private const string UnixPrefix = "unix:";

    /// <summary>"host:port", "[v6]:port", "unix:path", and "unix:@name" for an abstract one. A host that is no address is a name;
    /// none is this machine, as for Go's Dial.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static EndPoint Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            string path = address[UnixPrefix.Length..];
            if (path.Length > 0)
                return new UnixDomainSocketEndPoint(path[0] == '@' ? $"\0{path[1..]}" : path);
        }
        else if (TrySplit(address, out string host, out int port))
        {
            return IPAddress.TryParse(host, out IPAddress? ip)
                ? new IPEndPoint(ip, port)
                : new DnsEndPoint(host.Length == 0 ? "localhost" : host, port);
        }
        throw new FormatException(
            $"\"{address}\" is no address to connect to: write host:port or unix:path, " +
            "as in \"example.com:80\", \"[::1]:80\" or \"unix:/run/app.sock\".");
    }

    private static bool TrySplit(string address, out string host, out int port)
    {
        int colon = address.LastIndexOf(':');
        host = "";
        port = 0;
        if (colon < 0)
            return false;
        host = address[..colon];
        if (!ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
            return false;
        port = number;
        if (host is not ['[', .., ']'])
            return !host.AsSpan().ContainsAny('[', ']', ':');
        host = host[1..^1];
        return IPAddress.TryParse(host, out IPAddress? ip) && ip.AddressFamily == AddressFamily.InterNetworkV6;
    }
}
