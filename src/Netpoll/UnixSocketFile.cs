using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// The file by which a Unix socket is found. Binding makes it, and it outlives the socket: whoever listens has to remove it, and may
// die before. So a file can be in the way in four ways:
//
//   it is no socket                        it is left alone: an error
//   somebody listens to it                 connect(2) succeeds, or fails for any reason but ECONNREFUSED: in use
//   nobody listens to it any more          connect(2) says ECONNREFUSED: it is removed, if it is still the same file by then
//   somebody has bound and will listen     cannot be told from the last: two programs that start at once. Each looks, when it
//                                          listens, whether the file is still its own; whose file has been removed has lost
//
// The same question, by device and inode number, is asked before a file is removed at the end: it may be another's by now. The
// number cannot have been used again, because the socket holds its inode until it is closed.
internal sealed class UnixSocketFile
{
    private readonly byte[] _path;
    private readonly FileIdentity _identity;

    private UnixSocketFile(byte[] path, FileIdentity identity)
    {
        _path = path;
        _identity = identity;
    }

    /// <summary>Binds a socket to a path, of which a stale file is removed.</summary>
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    public static UnixSocketFile Bind(nint socket, EndPoint endPoint, byte[] path, string doing)
    {
        SocketAddress address = endPoint.Serialize();
        int error = SystemSockets.Bind(socket, address.Buffer.Span[..address.Size]);
        if (error == -UnixSockets.EADDRINUSE)
        {
            RemoveStale(endPoint);
            error = SystemSockets.Bind(socket, address.Buffer.Span[..address.Size]);
        }
        SystemSockets.Require(error, doing);
        return At(endPoint) ?? throw InUse(doing);
    }

    /// <summary>The file that is at the address of a socket now; null when there is none.</summary>
    public static UnixSocketFile? At(EndPoint endPoint) =>
        SocketAddresses.PathOf(endPoint) is { } path && UnixFiles.Find(path) is { IsSocket: true } file ? new UnixSocketFile(path, file) : null;

    /// <summary>Whether the system is one whose files are known.</summary>
    public static bool IsKnownHere => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD();

    /// <summary>Removes the file that is in the way of binding, if nobody listens to it any more.</summary>
    /// <exception cref="SocketException">Somebody does, or it is no socket.</exception>
    public static void RemoveStale(EndPoint endPoint)
    {
        string doing = $"listen on {endPoint}";
        if (SocketAddresses.PathOf(endPoint) is not { } path || UnixFiles.Find(path) is not { } file)
            return;
        SocketAddress address = endPoint.Serialize();
        if (!file.IsSocket)
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"{doing}: there is a file of this name, and it is no socket");
        if (!IsAbandoned(address, doing))
            throw InUse(doing);
        if (file.IsSameFileAs(UnixFiles.Find(path)))
            _ = UnixFiles.Unlink(path); // should that fail, binding fails again
    }

    private static bool IsAbandoned(SocketAddress address, string doing)
    {
        nint probe = SystemSockets.Open(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified, out int error);
        if (probe < 0)
            throw SystemSockets.ExceptionFor(error, doing);
        error = SystemSockets.Connect(probe, address.Buffer.Span[..address.Size]);
        _ = SystemSockets.Close(probe);
        return error == -UnixSockets.ECONNREFUSED;
    }

    private static SocketException InUse(string doing) => SystemSockets.ExceptionFor(UnixSockets.EADDRINUSE, doing);

    /// <summary>Sets the permissions. Before listen(2): until then nobody can connect.</summary>
    public void SetMode(UnixFileMode mode, string doing) => SystemSockets.Require(UnixFiles.SetMode(_path, mode), doing);

    /// <exception cref="SocketException">The file is not this one any more.</exception>
    public void RequireUnchanged(string doing)
    {
        if (!IsUnchanged)
            throw InUse(doing);
    }

    private bool IsUnchanged => _identity.IsSameFileAs(UnixFiles.Find(_path));

    /// <summary>Removes the file, unless it is another's by now. The socket must still be open.</summary>
    public void Unlink()
    {
        if (IsUnchanged)
            _ = UnixFiles.Unlink(_path);
    }
}
