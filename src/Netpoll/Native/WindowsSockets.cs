using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>Sockets by Winsock. What it has is what <see cref="SystemSockets"/> says.</summary>
internal static unsafe partial class WindowsSockets
{
    private static PlatformNotSupportedException NotYet => new("NetGo.Netpoll has no sockets for Windows as yet.");

    public static nint Open(AddressFamily family, SocketType type, ProtocolType protocol, out int error) => throw NotYet;

    public static nint Accept(nint listener, byte* address, int* addressLength, out int error) => throw NotYet;

    public static int Close(nint socket) => throw NotYet;

    public static int Shutdown(nint socket, SocketShutdown how) => throw NotYet;

    public static int Bind(nint socket, byte* address, int length) => throw NotYet;

    public static int Listen(nint socket, int backlog) => throw NotYet;

    public static int Connect(nint socket, byte* address, int length) => throw NotYet;

    public static int GetLocalAddress(nint socket, byte* address, int* length) => throw NotYet;

    public static int GetPeerAddress(nint socket, byte* address, int* length) => throw NotYet;

    public static int Receive(nint socket, byte* buffer, int length, bool peek) => throw NotYet;

    public static int Send(nint socket, byte* buffer, int length) => throw NotYet;

    public static int ReceiveFrom(nint socket, byte* buffer, int length, byte* address, int* addressLength) => throw NotYet;

    public static int SendTo(nint socket, byte* buffer, int length, byte* address, int addressLength) => throw NotYet;

    public static int SendVectors(nint socket, IOVector* vectors, int count) => throw NotYet;

    public static int SetOption(nint socket, SocketOptionLevel level, SocketOptionName name, int value) => throw NotYet;

    public static int GetOption(nint socket, SocketOptionLevel level, SocketOptionName name, out int value) => throw NotYet;

    public static int SetLinger(nint socket, bool on, int seconds) => throw NotYet;

    public static bool IsTransientAcceptError(int error) => throw NotYet;

    public static bool IsResourceError(int error) => throw NotYet;
}
