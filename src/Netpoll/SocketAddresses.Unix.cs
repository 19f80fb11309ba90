using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NetGo.Netpoll;

internal static unsafe partial class SocketAddresses
{
    private const string UnixPrefix = "unix:";

    // Of struct sockaddr_un, whose path need not end with a NUL but here does.
    private static int MaxUnixPathLength => OperatingSystem.IsLinux() ? 107 : 103;

    /// <summary>"unix:path" and "unix:@name", else what <see cref="Parse"/> takes.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static EndPoint ParseListenAddress(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.StartsWith(UnixPrefix, StringComparison.Ordinal) ? ParseUnix(address) : Parse(address);
    }

    private static UnixDomainSocketEndPoint ParseUnix(string address)
    {
        string path = address[UnixPrefix.Length..];
        if (path is "" or "@" || path.Contains('\0'))
            throw new FormatException($"\"{address}\" is no address to listen on: write unix:path, or unix:@name for an abstract name.");
        int length = Encoding.UTF8.GetByteCount(path);
        if (length > MaxUnixPathLength)
            throw new FormatException($"\"{address}\" is no address to listen on: its path has {length} bytes, and the system takes {MaxUnixPathLength}.");
        return new UnixDomainSocketEndPoint(path[0] == '@' ? $"\0{path[1..]}" : path);
    }

    /// <summary>The path of a Unix socket's file, with a NUL at its end; null when it has none: its name is abstract, or it has no
    /// name.</summary>
    public static byte[]? PathOf(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint)
            return null;
        SocketAddress address = endPoint.Serialize();
        ReadOnlySpan<byte> path = address.Buffer.Span[Math.Min(sizeof(ushort), address.Size)..address.Size];
        int end = path.IndexOf((byte)0);
        if (end >= 0)
            path = path[..end];
        return path.IsEmpty ? null : [.. path, 0];
    }
}
