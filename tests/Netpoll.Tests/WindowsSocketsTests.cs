using System.Net;
using System.Net.Sockets;
using static NetGo.Netpoll.WindowsSockets;

namespace NetGo.Netpoll.Tests;

/// <summary>What Winsock does differently, and is made not to.</summary>
public sealed unsafe class WindowsSocketsTests
{
    public WindowsSocketsTests() => Assert.SkipUnless(OperatingSystem.IsWindows(), "Winsock is Windows'.");

    private static nint OpenBound(SocketType type, ProtocolType protocol, out byte[] address)
    {
        nint socket = Open(AddressFamily.InterNetwork, type, protocol, out int error);
        Assert.Equal(0, error);
        SocketAddress any = new IPEndPoint(IPAddress.Loopback, 0).Serialize();
        address = any.Buffer[..any.Size].ToArray();
        int length = address.Length;
        fixed (byte* raw = address)
        {
            Assert.Equal(0, Bind(socket, raw, length));
            Assert.Equal(0, GetLocalAddress(socket, raw, &length));
        }
        Assert.Equal(address.Length, length);
        return socket;
    }

    [Fact]
    public void A_datagram_that_is_too_long_fills_the_buffer()
    {
        nint socket = OpenBound(SocketType.Dgram, ProtocolType.Udp, out byte[] address);
        byte* buffer = stackalloc byte[] { 1, 2, 3, 4, 5 };
        byte* from = stackalloc byte[64];
        int length = 64;
        Assert.Equal(SystemSockets.WouldBlock, ReceiveFrom(socket, buffer, 5, from, &length, out _));
        fixed (byte* to = address)
        {
            Assert.Equal(5, SendTo(socket, buffer, 5, to, address.Length));
            Assert.Equal(3, SendTo(socket, buffer, 3, to, address.Length));
        }
        Bounded.Until(() => Receive(socket, buffer, 0, peek: true) >= 0, "a datagram on loopback");
        length = 64;
        Assert.Equal(2, ReceiveFrom(socket, buffer, 2, from, &length, out bool truncated));
        Assert.True(truncated);
        Assert.Equal(address, new ReadOnlySpan<byte>(from, length).ToArray());
        Assert.Equal(3, ReceiveFrom(socket, buffer, 3, from, &length, out truncated)); // the rest of the first is lost
        Assert.False(truncated);
        Close(socket);
    }

    [Fact]
    public void A_port_where_nobody_listens_is_no_error_of_the_next_receive()
    {
        nint gone = OpenBound(SocketType.Dgram, ProtocolType.Udp, out byte[] nowhere);
        Close(gone);
        nint socket = OpenBound(SocketType.Dgram, ProtocolType.Udp, out byte[] address);
        byte* buffer = stackalloc byte[1];
        byte* from = stackalloc byte[64];
        int length = 64;
        fixed (byte* to = nowhere)
            Assert.Equal(1, SendTo(socket, buffer, 1, to, nowhere.Length));
        Assert.Equal(SystemSockets.WouldBlock, ReceiveFrom(socket, buffer, 1, from, &length, out _));
        fixed (byte* to = address)
            Assert.Equal(1, SendTo(socket, buffer, 1, to, address.Length));
        Bounded.Until(() => Receive(socket, buffer, 1, peek: true) != SystemSockets.WouldBlock, "a datagram on loopback");
        Assert.Equal(1, ReceiveFrom(socket, buffer, 1, from, &length, out _));
        Close(socket);
    }

    [Fact]
    public void Options_have_the_numbers_of_dotnet()
    {
        nint socket = Open(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp, out int error);
        Assert.Equal(0, error);
        (SocketOptionLevel Level, SocketOptionName Name)[] flags =
        [
            (SocketOptionLevel.Socket, SocketOptionName.KeepAlive), (SocketOptionLevel.Tcp, SocketOptionName.NoDelay),
            (SocketOptionLevel.IPv6, SocketOptionName.IPv6Only), (SocketOptionLevel.Socket, SocketOptionName.ExclusiveAddressUse),
        ];
        foreach (var (level, name) in flags)
        {
            for (int value = 1; value >= 0; value--)
            {
                Assert.Equal(0, SetOption(socket, level, name, value));
                Assert.Equal(0, GetOption(socket, level, name, out int got));
                Assert.Equal(value, got);
            }
        }
        Assert.Equal(0, SetLinger(socket, on: true, seconds: 7));
        Linger linger = default;
        Assert.Equal(0, GetOption(socket, SocketOptionLevel.Socket, SocketOptionName.Linger, out *(int*)&linger));
        Assert.Equal((1, 7), (linger.On, linger.Seconds));
        Close(socket);
    }

    [Fact]
    public void Reading_in_a_direction_that_was_shut_down_finds_the_end()
    {
        var (socket, peer) = SocketPair.Make();
        using (peer)
        {
            byte* buffer = stackalloc byte[1];
            Assert.Equal(SystemSockets.WouldBlock, Receive(socket, buffer, 1, peek: false));
            Assert.Equal(0, Shutdown(socket, SocketShutdown.Receive));
            Assert.Equal(0, Receive(socket, buffer, 1, peek: false));
            Close(socket);
        }
    }

    [Fact]
    public void More_pieces_than_one_call_takes_are_left_for_the_next()
    {
        var (socket, peer) = SocketPair.Make();
        using (peer)
        {
            byte* bytes = stackalloc byte[20];
            IOVector* vectors = stackalloc IOVector[20];
            for (int i = 0; i < 20; i++)
            {
                bytes[i] = (byte)i;
                vectors[i] = new IOVector { Base = bytes + i, Length = 1 };
            }
            Assert.Equal(16, SendVectors(socket, vectors, 20));
            Assert.Equal(4, SendVectors(socket, vectors + 16, 4));
            byte[] got = new byte[20];
            for (int at = 0; at < got.Length;)
                at += peer.Receive(got, at, got.Length - at, SocketFlags.None);
            Assert.Equal(new ReadOnlySpan<byte>(bytes, 20).ToArray(), got);
            Close(socket);
        }
    }

    [Fact]
    public void What_is_no_socket_is_an_error()
    {
        var (socket, peer) = SocketPair.Make();
        peer.Dispose();
        Assert.Equal(0, Close(socket));
        const nint NoSocket = 0x7FFF0; // a number that was in use a moment ago may be somebody's again
        byte* buffer = stackalloc byte[1];
        Assert.Equal(-WSAENOTSOCK, Receive(NoSocket, buffer, 1, peek: false));
        Assert.Equal(-WSAENOTSOCK, Close(NoSocket));
        _ = BaseOf(NoSocket, out int error);
        Assert.Equal(Wine.IsHere ? 0 : WSAENOTSOCK, error); // it has one for whatever number it is asked for
    }

    [Fact]
    public void A_family_that_is_not_there_is_an_error()
    {
        const AddressFamily None = (AddressFamily)99;
        Assert.Equal(-1, Open(None, SocketType.Stream, ProtocolType.Unspecified, out int error));
        Assert.Equal((int)SocketError.AddressFamilyNotSupported, error);
    }
}
