using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>End points in and out of the system's form.</summary>
internal static unsafe class SocketAddresses
{
    private const int MaxLength = 128;

    private delegate int GetName(int socket, byte* address, uint* length);

    public static EndPoint LocalOf(int descriptor, AddressFamily family) => Read(descriptor, family, LinuxSockets.GetSocketName);

    public static EndPoint RemoteOf(int descriptor, AddressFamily family) => Read(descriptor, family, LinuxSockets.GetPeerName);

    private static EndPoint Read(int descriptor, AddressFamily family, GetName get)
    {
        byte* raw = stackalloc byte[MaxLength];
        uint length = MaxLength;
        if (get(descriptor, raw, &length) != 0)
            throw LinuxSockets.ExceptionFor(LinuxSockets.LastError, "address of a connection");
        var address = new SocketAddress(family, (int)length);
        new ReadOnlySpan<byte>(raw, (int)length).CopyTo(address.Buffer.Span);
        IPEndPoint any = new(family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        return any.Create(address);
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
