using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>End points in and out of the system's form.</summary>
internal static unsafe partial class SocketAddresses
{
    private static readonly IPEndPoint s_any = new(IPAddress.Any, 0);
    private static readonly IPEndPoint s_anyV6 = new(IPAddress.IPv6Any, 0);

    // Made when there is a use for it: Windows before 10 has none.
    private static UnixDomainSocketEndPoint AnyUnix => field ??= new UnixDomainSocketEndPoint("/");

    /// <exception cref="SocketException">The system does not say.</exception>
    public static EndPoint LocalOf(nint socket)
    {
        byte* raw = stackalloc byte[SystemSockets.MaxAddressLength];
        uint length = SystemSockets.MaxAddressLength;
        SystemSockets.Require(SystemSockets.GetLocalAddress(socket, raw, &length), "address of a socket");
        return FromRaw(new ReadOnlySpan<byte>(raw, (int)length));
    }

    /// <exception cref="SocketException">The system does not say; the peer is gone, most often.</exception>
    public static EndPoint RemoteOf(nint socket)
    {
        byte* raw = stackalloc byte[SystemSockets.MaxAddressLength];
        uint length = SystemSockets.MaxAddressLength;
        SystemSockets.Require(SystemSockets.GetPeerAddress(socket, raw, &length), "address of a socket's peer");
        return FromRaw(new ReadOnlySpan<byte>(raw, (int)length));
    }

    /// <summary>The end point of an address in the system's form, which is that of <see cref="SocketAddress"/>.</summary>
    /// <exception cref="NotSupportedException">It is neither an IP address nor a Unix socket's.</exception>
    public static EndPoint FromRaw(ReadOnlySpan<byte> raw)
    {
        if (raw.Length < sizeof(ushort))
            return AnyUnix.Create(new SocketAddress(AddressFamily.Unix, sizeof(ushort))); // macOS gives none to a socket without a name
        var address = new SocketAddress(AddressFamily.InterNetwork, raw.Length);
        raw.CopyTo(address.Buffer.Span);
        return address.Family switch
        {
            AddressFamily.InterNetwork => s_any.Create(address),
            AddressFamily.InterNetworkV6 => s_anyV6.Create(address),
            AddressFamily.Unix => AnyUnix.Create(address),
            _ => throw new NotSupportedException($"There are no end points for addresses of family {address.Family}."),
        };
    }

    /// <summary>"host:port", ":port" for all addresses, "[v6]:port"; Go's listen addresses. Names are not looked up.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static IPEndPoint Parse(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        int colon = address.LastIndexOf(':');
        if (colon >= 0 && ushort.TryParse(address.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out ushort port))
        {
            ReadOnlySpan<char> host = address.AsSpan(0, colon);
            if (host.IsEmpty || host is "*")
                return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);
            if (host is "localhost")
                return new IPEndPoint(IPAddress.Loopback, port);
            bool bracketed = host[0] == '[' && host[^1] == ']';
            if ((bracketed || !host.Contains(':')) && IPAddress.TryParse(bracketed ? host[1..^1] : host, out IPAddress? ip))
                return new IPEndPoint(ip, port);
        }
        throw new FormatException($"\"{address}\" is no address to listen on: write host:port, as in \"127.0.0.1:8080\", \":8080\" or \"[::1]:8080\".");
    }
}
