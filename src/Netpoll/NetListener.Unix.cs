using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

public sealed partial class NetListener
{
    private UnixSocketFile? _file;

    /// <summary>Of a Unix socket with a file: whether <see cref="Close"/> removes the file, if it is still the one that this listener
    /// made. Of a listener that was made here it is what <see cref="ListenOptions.UnlinkOnClose"/> said; of one that came from another
    /// process it is false at first, and so it is here after a hand-over. Go's UnixListener.SetUnlinkOnClose.</summary>
    public bool UnlinkOnClose { get; set; }

    private static NetListener ListenUnix(GoScheduler scheduler, EndPoint endPoint, ListenOptions options)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("NetGo.Netpoll has no Unix sockets on Windows.");
        string doing = $"listen on {endPoint}";
        byte[]? path = SocketAddresses.PathOf(endPoint);
        if (path is null && !OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException($"{doing}: only Linux has abstract names.");
        nint socket = SystemSockets.Open(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified, out int error);
        if (socket < 0)
            throw SystemSockets.ExceptionFor(error, doing);
        UnixSocketFile? file = null;
        try
        {
            if (path is null)
            {
                SocketAddress address = endPoint.Serialize();
                SystemSockets.Require(SystemSockets.Bind(socket, address.Buffer.Span[..address.Size]), doing);
            }
            else
            {
                file = UnixSocketFile.Bind(socket, endPoint, path, doing);
                if (options.UnixFileMode is { } mode)
                    file.SetMode(mode, doing);
            }
            SystemSockets.Require(SystemSockets.Listen(socket, options.Backlog), doing);
            file?.RequireUnchanged(doing);
            return new NetListener([new ListenSocket(scheduler, PollerSelection.All(scheduler), socket, options)], endPoint, options.Name)
            {
                _file = file,
                UnlinkOnClose = options.UnlinkOnClose,
            };
        }
        catch
        {
            file?.Unlink();
            _ = SystemSockets.Close(socket);
            throw;
        }
    }

    // Before the socket is closed, so that nobody finds the file with nobody behind it; and once, because after the close the
    // number of its inode may be another's.
    private void UnlinkFile()
    {
        UnixSocketFile? file = Interlocked.Exchange(ref _file, null);
        if (UnlinkOnClose)
            file?.Unlink();
    }
}
