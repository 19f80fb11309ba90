using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>Sockets that listen, for the fallback.</summary>
internal static class ListeningSocket
{
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    /// <exception cref="ArgumentException">A handle is no stream socket that listens.</exception>
    /// <exception cref="PlatformNotSupportedException">A handle, on Windows.</exception>
    public static Socket Open(EndPoint endPoint, int backlog)
    {
        if (endPoint is FileHandleEndPoint file)
            return TakeOver((nint)file.FileHandle);
        bool isUnix = endPoint is UnixDomainSocketEndPoint;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (endPoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } ip)
                socket.DualMode = ip.Address.Equals(IPAddress.IPv6Any);
            if (isUnix)
                BindUnix(socket, endPoint);
            else
                socket.Bind(endPoint);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A file to which nobody listens any more is no obstacle.
    private static void BindUnix(Socket socket, EndPoint endPoint)
    {
        try
        {
            socket.Bind(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && UnixSocketFile.IsKnownHere)
        {
            UnixSocketFile.RemoveStale(endPoint);
            socket.Bind(endPoint);
        }
    }

    private static Socket TakeOver(nint handle)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("NetGo.Connections does not take sockets over on Windows.");
        if (InheritedSockets.ProblemWith(handle) is { } problem)
            throw new ArgumentException($"Descriptor {handle} {problem}.", nameof(handle));
        nint duplicate = UnixSockets.Duplicate(handle, 0);
        SystemSockets.Require((int)duplicate, "take a listener over");
        return new Socket(new SafeSocketHandle(duplicate, ownsHandle: true));
    }
}
