using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>A loopback TCP connection: a descriptor for the code under test, and a System.Net.Sockets peer.</summary>
internal static class SocketPair
{
    public static (nint Descriptor, Socket Peer) Make()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        peer.Connect(listener.LocalEndPoint!);
        return (Accept(listener), peer);
    }

    public static unsafe nint Accept(Socket listener)
    {
        nint descriptor = SystemSockets.Accept(listener.Handle, null, null, out int error);
        Assert.True(descriptor >= 0, $"accept: {error}");
        return descriptor;
    }

    public static int Read(nint descriptor, Span<byte> buffer) => SystemSockets.Receive(descriptor, buffer);

    public static int Write(nint descriptor, ReadOnlySpan<byte> buffer) => SystemSockets.Send(descriptor, buffer);

    /// <summary>Fills the system's buffers, so that the descriptor is not writable any more, nor becomes so when what is on its way
    /// has arrived.</summary>
    public static long Fill(nint descriptor)
    {
        byte[] block = new byte[64 * 1024];
        long total = 0;
        for (int full = 0; full < 3; full++)
        {
            int n;
            while ((n = SystemSockets.Send(descriptor, block)) >= 0)
            {
                total += n;
                full = 0;
            }
            Thread.Sleep(20); // an acknowledgement may be 40 ms late, and makes room
        }
        return total;
    }
}
