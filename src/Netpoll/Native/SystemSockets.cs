using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

// Which of the two below is called is known to the compiler, so this costs nothing.

/// <summary>The system's sockets. All are non-blocking, not inherited by other programs, and raise no signals. Nothing here throws
/// but what says so: what counts returns the count, what does not returns 0; failures are <see cref="WouldBlock"/> or the negative
/// number of the system's error (errno, or Winsock's), of which <see cref="ExceptionFor"/> makes an exception.</summary>
internal static unsafe partial class SystemSockets
{
    /// <summary>The call would have to wait.</summary>
    public const int WouldBlock = int.MinValue;

    /// <summary>The longest address that a system has: struct sockaddr_storage.</summary>
    public const int MaxAddressLength = 128;

    /// <summary>Whether several sockets can listen on one address and share its connections.</summary>
    public static bool CanShareAddress => OperatingSystem.IsLinux() || OperatingSystem.IsFreeBSD();

    /// <summary>A new socket; -1 and the (positive) error when the system has none.</summary>
    public static nint Open(AddressFamily family, SocketType type, ProtocolType protocol, out int error) =>
        OperatingSystem.IsWindows() ? WindowsSockets.Open(family, type, protocol, out error) : UnixSockets.Open(family, type, protocol, out error);

    /// <summary>The next connection; -1 and <see cref="WouldBlock"/> or the (positive) error when there is none.</summary>
    public static nint Accept(nint listener, byte* address, uint* addressLength, out int error) =>
        OperatingSystem.IsWindows()
            ? WindowsSockets.Accept(listener, address, (int*)addressLength, out error)
            : UnixSockets.Accept(listener, address, addressLength, out error);

    public static int Close(nint socket) => OperatingSystem.IsWindows() ? WindowsSockets.Close(socket) : UnixSockets.Close(socket);

    public static int Shutdown(nint socket, SocketShutdown how) =>
        OperatingSystem.IsWindows() ? WindowsSockets.Shutdown(socket, how) : UnixSockets.Shutdown(socket, how);

    public static int Bind(nint socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* raw = address)
            return OperatingSystem.IsWindows() ? WindowsSockets.Bind(socket, raw, address.Length) : UnixSockets.Bind(socket, raw, address.Length);
    }

    public static int Listen(nint socket, int backlog) =>
        OperatingSystem.IsWindows() ? WindowsSockets.Listen(socket, backlog) : UnixSockets.Listen(socket, backlog);

    /// <summary><see cref="WouldBlock"/> when the connection is under way: it has succeeded or failed when the socket is
    /// writable, which SO_ERROR tells.</summary>
    public static int Connect(nint socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* raw = address)
            return OperatingSystem.IsWindows() ? WindowsSockets.Connect(socket, raw, address.Length) : UnixSockets.Connect(socket, raw, address.Length);
    }

    /// <summary>The address of this end.</summary>
    public static int GetLocalAddress(nint socket, byte* address, uint* length) =>
        OperatingSystem.IsWindows() ? WindowsSockets.GetLocalAddress(socket, address, (int*)length) : UnixSockets.GetLocalAddress(socket, address, length);

    public static int GetPeerAddress(nint socket, byte* address, uint* length) =>
        OperatingSystem.IsWindows() ? WindowsSockets.GetPeerAddress(socket, address, (int*)length) : UnixSockets.GetPeerAddress(socket, address, length);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Receive(nint socket, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return OperatingSystem.IsWindows()
                ? WindowsSockets.Receive(socket, start, buffer.Length, peek: false)
                : UnixSockets.Receive(socket, start, buffer.Length, peek: false);
        }
    }

    /// <summary>Whether a read would not wait: 1 for bytes, 0 for the end of the stream.</summary>
    public static int Peek(nint socket)
    {
        byte peeked;
        return OperatingSystem.IsWindows() ? WindowsSockets.Receive(socket, &peeked, 1, peek: true) : UnixSockets.Receive(socket, &peeked, 1, peek: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Send(nint socket, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
            return OperatingSystem.IsWindows() ? WindowsSockets.Send(socket, start, buffer.Length) : UnixSockets.Send(socket, start, buffer.Length);
    }

    public static int SendVectors(nint socket, IOVector* vectors, int count) =>
        OperatingSystem.IsWindows() ? WindowsSockets.SendVectors(socket, vectors, count) : UnixSockets.SendVectors(socket, vectors, count);

    public static int SetOption(nint socket, SocketOptionLevel level, SocketOptionName name, int value) =>
        OperatingSystem.IsWindows() ? WindowsSockets.SetOption(socket, level, name, value) : UnixSockets.SetOption(socket, level, name, value);

    public static int GetOption(nint socket, SocketOptionLevel level, SocketOptionName name, out int value) =>
        OperatingSystem.IsWindows() ? WindowsSockets.GetOption(socket, level, name, out value) : UnixSockets.GetOption(socket, level, name, out value);

    public static int SetLinger(nint socket, bool on, int seconds) =>
        OperatingSystem.IsWindows() ? WindowsSockets.SetLinger(socket, on, seconds) : UnixSockets.SetLinger(socket, on, seconds);

    // ---- Errors ----

    /// <summary>Of accept: it is that one connection's failure (accept(2)), and the next may be well.</summary>
    public static bool IsOfOneConnection(int error) =>
        OperatingSystem.IsWindows() ? WindowsSockets.IsTransientAcceptError(error) : UnixSockets.IsOfOneConnection(error);

    /// <summary>The process or the system is out of descriptors or memory.</summary>
    public static bool IsExhaustion(int error) =>
        OperatingSystem.IsWindows() ? WindowsSockets.IsResourceError(error) : UnixSockets.IsExhaustion(error);

    /// <summary>What the (positive) number of a system's error is called in .NET.</summary>
    public static SocketError CodeOf(int error) => OperatingSystem.IsWindows() ? (SocketError)error : UnixSockets.ErrorOf(error);

    /// <summary>The .NET exception for the (positive) number of a system's error, with what was being done.</summary>
    public static SocketException ExceptionFor(int error, string doing) =>
        new((int)CodeOf(error), $"{doing}: {Marshal.GetPInvokeErrorMessage(error)}");

    /// <summary>Throws when a result is a failure.</summary>
    /// <exception cref="SocketException">It is.</exception>
    public static void Require(int result, string doing)
    {
        if (result < 0)
            throw ExceptionFor(-result, doing);
    }
}
