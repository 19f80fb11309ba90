using System.Net.Sockets;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>What netpoll's connections are told, for the fallback's.</summary>
internal static class TcpOptions
{
    /// <summary>Tells a connected socket, if it is TCP's.</summary>
    public static void Apply(Socket socket, bool noDelay)
    {
        if (socket.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
            return;
        try
        {
            socket.NoDelay = noDelay;
        }
        catch (SocketException)
        {
            // The connection has failed already, which its first read will say.
        }
        TcpKeepAlive keepAlive = TcpKeepAlive.Default;
        TrySet(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)keepAlive.Idle!.Value.TotalSeconds);
        TrySet(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)keepAlive.Interval!.Value.TotalSeconds);
        TrySet(socket, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, keepAlive.Count!.Value);
        TrySet(socket, SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1);
    }

    // Not every system has all of them.
    private static void TrySet(Socket socket, SocketOptionLevel level, SocketOptionName name, int value)
    {
        try
        {
            socket.SetSocketOption(level, name, value);
        }
        catch (Exception e) when (e is SocketException or PlatformNotSupportedException)
        {
        }
    }
}
