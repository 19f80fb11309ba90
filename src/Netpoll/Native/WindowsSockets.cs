using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>Sockets by Winsock. What it has is what <see cref="SystemSockets"/> says; the numbers are those of winsock2.h, ws2def.h
/// and mswsock.h.</summary>
/// <remarks>None of the calls skips the GC transition, though none blocks: they go through whatever providers and filters are
/// installed, which may be anybody's code, and take a microsecond at the best.</remarks>
internal static unsafe partial class WindowsSockets
{
    public const int WSAEMFILE = 10024;
    public const int WSAEWOULDBLOCK = 10035;
    public const int WSAEINPROGRESS = 10036;
    public const int WSAENOTSOCK = 10038;
    public const int WSAEMSGSIZE = 10040;
    public const int WSAECONNABORTED = 10053;
    public const int WSAECONNRESET = 10054;
    public const int WSAENOBUFS = 10055;
    public const int WSAESHUTDOWN = 10058;
    public const int WSAEDISCON = 10101;

    private const nint InvalidSocket = -1;
    private const int MaxVectors = 16;
    private const ushort Version22 = 0x0202;
    private const int WinsockDataSize = 408; // WSADATA of 64-bit programs
    private const uint WSA_FLAG_OVERLAPPED = 0x01;
    private const uint WSA_FLAG_NO_HANDLE_INHERIT = 0x80;
    private const uint HANDLE_FLAG_INHERIT = 0x1;
    private const int MSG_PEEK = 0x2;
    private const uint FIONBIO = 0x8004667E;
    private const uint SIO_BASE_HANDLE = 0x48000022;
    private const uint SIO_UDP_CONNRESET = 0x9800000C;

    private static readonly int s_startUpError = StartUp();

    /// <summary>WSABUF.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Buffer
    {
        public uint Length;
        public byte* Base;
    }

    /// <summary>struct linger.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Linger
    {
        public ushort On;
        public ushort Seconds;
    }

    private static int StartUp()
    {
        byte* data = stackalloc byte[WinsockDataSize];
        return WSAStartup(Version22, data);
    }

    // ---- Opening and closing ----

    /// <summary>A socket that child processes do not inherit; -1 with the error when there is none. Unix-domain sockets are there
    /// since Windows 10 (1803), of type Stream only; before, the error is WSAEAFNOSUPPORT.</summary>
    public static nint Open(AddressFamily family, SocketType type, ProtocolType protocol, out int error)
    {
        error = s_startUpError;
        if (error != 0)
            return InvalidSocket;
        nint socket = WSASocket((int)family, (int)type, (int)protocol, null, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        if (socket == InvalidSocket)
        {
            error = LastError;
            return InvalidSocket;
        }
        if (type == SocketType.Dgram)
            IgnoreUnreachablePorts(socket);
        return MakeNonBlocking(socket, out error);
    }

    // An ICMP answer to a datagram that was sent to where nobody listens would fail the next receive, of whatever comes from
    // wherever. No other system does that, and not every Windows can leave it.
    private static void IgnoreUnreachablePorts(nint socket)
    {
        int report = 0;
        uint length;
        _ = WSAIoctl(socket, SIO_UDP_CONNRESET, &report, sizeof(int), null, 0, &length, null, null);
    }

    private static nint MakeNonBlocking(nint socket, out int error)
    {
        uint on = 1;
        error = 0;
        if (IoctlSocket(socket, FIONBIO, &on) == 0)
            return socket;
        error = LastError;
        _ = CloseSocket(socket);
        return InvalidSocket;
    }

    /// <summary>A connection that waits to be accepted; -1 with the error, or <see cref="SystemSockets.WouldBlock"/>, when there is none.
    /// </summary>
    /// <param name="listener">Where.</param>
    /// <param name="address">Where the peer's address is put; may be null.</param>
    /// <param name="addressLength">In: the room; out: what the address takes. May be null.</param>
    /// <param name="error">0 when a connection was accepted.</param>
    public static nint Accept(nint listener, byte* address, int* addressLength, out int error)
    {
        nint socket = AcceptSocket(listener, address, addressLength);
        if (socket == InvalidSocket)
        {
            error = LastError;
            if (error == WSAEWOULDBLOCK)
                error = SystemSockets.WouldBlock;
            return InvalidSocket;
        }
        _ = SetHandleInformation(socket, HANDLE_FLAG_INHERIT, 0);
        return MakeNonBlocking(socket, out error);
    }

    public static int Close(nint socket) => ResultOf(CloseSocket(socket));

    public static int Shutdown(nint socket, SocketShutdown how) => ResultOf(ShutDownSocket(socket, (int)how));

    // ---- Addresses ----

    public static int Bind(nint socket, byte* address, int length) => ResultOf(BindSocket(socket, address, length));

    public static int Listen(nint socket, int backlog) => ResultOf(ListenOn(socket, backlog));

    /// <summary><see cref="SystemSockets.WouldBlock"/>: it is on its way, and can be written to when it has come to an end.</summary>
    public static int Connect(nint socket, byte* address, int length)
    {
        int result = ResultOf(ConnectSocket(socket, address, length));
        return result == -WSAEINPROGRESS ? SystemSockets.WouldBlock : result;
    }

    public static int GetLocalAddress(nint socket, byte* address, int* length) => ResultOf(GetSocketName(socket, address, length));

    public static int GetPeerAddress(nint socket, byte* address, int* length) => ResultOf(GetPeerName(socket, address, length));

    // ---- Receiving and sending ----

    public static int Receive(nint socket, byte* buffer, int length, bool peek)
    {
        int n = ReceiveBytes(socket, buffer, length, peek ? MSG_PEEK : 0);
        return n >= 0 ? n : ReceiveError(length);
    }

    /// <summary>One datagram, who sent it, and whether its end is lost.</summary>
    public static int ReceiveFrom(nint socket, byte* buffer, int length, byte* address, int* addressLength, out bool truncated)
    {
        int n = ReceiveBytesFrom(socket, buffer, length, 0, address, addressLength);
        truncated = n < 0 && LastError == WSAEMSGSIZE;
        return n >= 0 ? n : ReceiveError(length);
    }

    // As on other systems: a datagram that is too long fills the buffer and its rest is lost, and reading in a direction that was
    // shut down finds the end of the stream.
    private static int ReceiveError(int length) => LastError switch
    {
        WSAEWOULDBLOCK => SystemSockets.WouldBlock,
        WSAEMSGSIZE => length,
        WSAESHUTDOWN or WSAEDISCON => 0,
        int error => -error,
    };

    public static int Send(nint socket, byte* buffer, int length) => ResultOf(SendBytes(socket, buffer, length, 0));

    public static int SendTo(nint socket, byte* buffer, int length, byte* address, int addressLength) =>
        ResultOf(SendBytesTo(socket, buffer, length, 0, address, addressLength));

    /// <summary>Sends several pieces, the first 16 at most.</summary>
    public static int SendVectors(nint socket, IOVector* vectors, int count)
    {
        count = Math.Min(count, MaxVectors);
        Buffer* buffers = stackalloc Buffer[MaxVectors];
        for (int i = 0; i < count; i++)
            buffers[i] = new Buffer { Base = (byte*)vectors[i].Base, Length = (uint)vectors[i].Length };
        uint sent;
        int result = ResultOf(WSASend(socket, buffers, (uint)count, &sent, 0, null, null));
        return result < 0 ? result : (int)sent;
    }

    // ---- Options ----

    /// <summary>.NET's numbers of levels and options are Winsock's.</summary>
    public static int SetOption(nint socket, SocketOptionLevel level, SocketOptionName name, int value) =>
        ResultOf(SetSocketOption(socket, (int)level, (int)name, &value, sizeof(int)));

    public static int GetOption(nint socket, SocketOptionLevel level, SocketOptionName name, out int value)
    {
        int got = 0; // some options fill one byte only
        int length = sizeof(int);
        int result = ResultOf(GetSocketOption(socket, (int)level, (int)name, &got, &length));
        value = got;
        return result;
    }

    public static int SetLinger(nint socket, bool on, int seconds)
    {
        Linger linger = new() { On = on ? (ushort)1 : (ushort)0, Seconds = (ushort)Math.Clamp(seconds, 0, ushort.MaxValue) };
        return ResultOf(SetSocketOption(socket, (int)SocketOptionLevel.Socket, (int)SocketOptionName.Linger, &linger, sizeof(Linger)));
    }

    // ---- Errors ----

    /// <summary>The one connection failed that was to be accepted: the next may be well.</summary>
    public static bool IsTransientAcceptError(int error) => error is WSAECONNRESET or WSAECONNABORTED;

    /// <summary>Out of sockets or memory: it may be well when some are given back.</summary>
    public static bool IsResourceError(int error) => error is WSAEMFILE or WSAENOBUFS;

    private static int LastError => Marshal.GetLastPInvokeError();

    private static int ResultOf(int result)
    {
        if (result >= 0)
            return result;
        int error = LastError;
        return error == WSAEWOULDBLOCK ? SystemSockets.WouldBlock : -error;
    }

    /// <summary>What the system's own provider knows the socket by: another's, layered above it, may have given it a handle of its
    /// own, of which AFD knows nothing. The socket itself where it cannot be told, and the error when it is no socket.</summary>
    public static nint BaseOf(nint socket, out int error)
    {
        nint result;
        uint length;
        error = WSAIoctl(socket, SIO_BASE_HANDLE, null, 0, &result, (uint)sizeof(nint), &length, null, null) == 0 ? 0 : LastError;
        if (error is 0 or WSAENOTSOCK)
            return result;
        error = 0;
        return socket;
    }

    [LibraryImport("ws2_32", EntryPoint = "WSAStartup")]
    private static partial int WSAStartup(ushort version, byte* data);

    [LibraryImport("ws2_32", EntryPoint = "WSASocketW", SetLastError = true)]
    private static partial nint WSASocket(int family, int type, int protocol, void* protocolInfo, uint group, uint flags);

    [LibraryImport("ws2_32", EntryPoint = "ioctlsocket", SetLastError = true)]
    private static partial int IoctlSocket(nint socket, uint command, uint* argument);

    [LibraryImport("ws2_32", EntryPoint = "WSAIoctl", SetLastError = true)]
    private static partial int WSAIoctl(
        nint socket, uint code, void* input, uint inputLength, void* output, uint outputLength, uint* returned, void* overlapped, void* completion);

    [LibraryImport("ws2_32", EntryPoint = "accept", SetLastError = true)]
    private static partial nint AcceptSocket(nint socket, byte* address, int* addressLength);

    [LibraryImport("ws2_32", EntryPoint = "closesocket", SetLastError = true)]
    private static partial int CloseSocket(nint socket);

    [LibraryImport("ws2_32", EntryPoint = "shutdown", SetLastError = true)]
    private static partial int ShutDownSocket(nint socket, int how);

    [LibraryImport("ws2_32", EntryPoint = "bind", SetLastError = true)]
    private static partial int BindSocket(nint socket, byte* address, int addressLength);

    [LibraryImport("ws2_32", EntryPoint = "listen", SetLastError = true)]
    private static partial int ListenOn(nint socket, int backlog);

    [LibraryImport("ws2_32", EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectSocket(nint socket, byte* address, int addressLength);

    [LibraryImport("ws2_32", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetSocketName(nint socket, byte* address, int* addressLength);

    [LibraryImport("ws2_32", EntryPoint = "getpeername", SetLastError = true)]
    private static partial int GetPeerName(nint socket, byte* address, int* addressLength);

    [LibraryImport("ws2_32", EntryPoint = "recv", SetLastError = true)]
    private static partial int ReceiveBytes(nint socket, byte* buffer, int length, int flags);

    [LibraryImport("ws2_32", EntryPoint = "recvfrom", SetLastError = true)]
    private static partial int ReceiveBytesFrom(nint socket, byte* buffer, int length, int flags, byte* address, int* addressLength);

    [LibraryImport("ws2_32", EntryPoint = "send", SetLastError = true)]
    private static partial int SendBytes(nint socket, byte* buffer, int length, int flags);

    [LibraryImport("ws2_32", EntryPoint = "sendto", SetLastError = true)]
    private static partial int SendBytesTo(nint socket, byte* buffer, int length, int flags, byte* address, int addressLength);

    [LibraryImport("ws2_32", EntryPoint = "WSASend", SetLastError = true)]
    private static partial int WSASend(nint socket, Buffer* buffers, uint count, uint* sent, uint flags, void* overlapped, void* completion);

    [LibraryImport("ws2_32", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(nint socket, int level, int name, void* value, int length);

    [LibraryImport("ws2_32", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSocketOption(nint socket, int level, int name, void* value, int* length);

    [LibraryImport("kernel32", EntryPoint = "SetHandleInformation")]
    private static partial int SetHandleInformation(nint handle, uint mask, uint flags);
}
