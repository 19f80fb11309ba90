using System.Net.Sockets;

namespace NetGo.Netpoll;

// What only some systems have, and SocketOptionName has no name for. Where it is missing, the result is the system's own error
// for an option that it does not know.
internal static unsafe partial class SystemSockets
{
    /// <summary>Has a connection accepted only when its first bytes have come, or after some seconds.</summary>
    public static int DeferAccept(nint listener, int seconds) =>
        OperatingSystem.IsWindows() ? -(int)SocketError.ProtocolOption : UnixSockets.DeferAccept(listener, seconds);

    /// <summary>Has the next connect succeed at once, and the first write open the connection, with its bytes.</summary>
    public static int FastOpenConnect(nint socket) =>
        OperatingSystem.IsWindows() ? -(int)SocketError.ProtocolOption : UnixSockets.FastOpenConnect(socket);

    /// <summary>How many bytes the peer's system has acknowledged so far. Linux tells; elsewhere false.</summary>
    public static bool TryGetAcknowledged(nint socket, out long bytes)
    {
        bytes = 0;
        return !OperatingSystem.IsWindows() && UnixSockets.TryGetAcknowledged(socket, out bytes);
    }

    /// <summary>How many bytes it takes that it has not sent yet; what a listener accepts inherits it. On Linux.</summary>
    public static int LimitUnsent(nint socket, int bytes) =>
        OperatingSystem.IsWindows() ? -(int)SocketError.ProtocolOption : UnixSockets.LimitUnsent(socket, bytes);

    /// <summary>Closes a socket that lingers: may block, for Linux does not care that it is non-blocking.</summary>
    public static int CloseLingering(nint socket) =>
        OperatingSystem.IsWindows() ? WindowsSockets.Close(socket) : UnixSockets.CloseLingering(socket);
}
