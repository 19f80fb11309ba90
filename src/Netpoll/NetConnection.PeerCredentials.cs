using System.Net.Sockets;

namespace NetGo.Netpoll;

public sealed partial class NetConnection
{
    /// <summary>Who the peer of a Unix socket is, as the system knew it when the connection was made (SO_PEERCRED of unix(7); on macOS
    /// and FreeBSD getpeereid(3)).</summary>
    /// <exception cref="InvalidOperationException">It is no Unix socket.</exception>
    /// <exception cref="SocketException">The system does not say.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    public PeerCredentials GetPeerCredentials()
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("Windows does not say who the peer of a socket is.");
        if (LocalEndPoint is not UnixDomainSocketEndPoint)
            throw new InvalidOperationException("Only the peers of Unix sockets have credentials.");
        AddReference();
        try
        {
            SystemSockets.Require(UnixSockets.GetPeerCredentials(Descriptor, out PeerCredentials credentials), "credentials of a socket's peer");
            return credentials;
        }
        finally
        {
            Release();
        }
    }
}
