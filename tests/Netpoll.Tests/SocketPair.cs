using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>A loopback TCP connection: a descriptor for the code under test, and a System.Net.Sockets peer.</summary>
internal static class SocketPair
{
    public static unsafe (int Descriptor, Socket Peer) Make()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        peer.Connect(listener.LocalEndPoint!);
        int descriptor = LinuxSockets.Accept4((int)listener.Handle, null, null, LinuxSockets.SOCK_NONBLOCK | LinuxSockets.SOCK_CLOEXEC);
        Assert.True(descriptor >= 0);
        return (descriptor, peer);
    }

    public static unsafe int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
            return (int)LinuxSockets.Recv(descriptor, start, buffer.Length, 0);
    }

    /// <summary>Fills the system's buffers, so that the descriptor is not writable any more, nor becomes so when what is on its way
    /// has arrived.</summary>
    public static unsafe long Fill(int descriptor)
    {
        byte[] block = new byte[64 * 1024];
        long total = 0;
        fixed (byte* start = block)
        {
            for (int full = 0; full < 3; full++)
            {
                nint n;
                while ((n = LinuxSockets.Send(descriptor, start, block.Length, LinuxSockets.MSG_NOSIGNAL)) >= 0)
                {
                    total += n;
                    full = 0;
                }
                Thread.Sleep(2);
            }
        }
        return total;
    }
}
