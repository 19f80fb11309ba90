using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>Sockets by the C library of Linux, macOS and FreeBSD. What it has is what <see cref="SystemSockets"/> says; here are the
/// numbers, in which the three differ, and the calls. All sockets are non-blocking, so none of these calls sleeps: they skip the GC
/// transition. The numbers are those of Linux's uapi headers and of macOS's and FreeBSD's sys/socket.h, sys/errno.h, netinet/in.h,
/// netinet/in6.h and netinet/tcp.h.</summary>
internal static unsafe partial class UnixSockets
{
    public const int EINTR = 4;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int EPIPE = 32;

    private const int SHUT_RD = 0;
    private const int SHUT_WR = 1;
    private const int SHUT_RDWR = 2;
    private const int MSG_PEEK = 0x2;
    private const int IPPROTO_TCP = 6;
    private const int IPPROTO_IPV6 = 41;
    private const int TCP_NODELAY = 1;

    private const int SO_NOSIGPIPE = 0x1022; // of macOS
    private const int SO_REUSEPORT_LB = 0x10000; // of FreeBSD

    public static int EAGAIN => IsLinux ? 11 : 35;

    public static int EPROTO => IsLinux ? 71 : IsMac ? 100 : 92;

    public static int EADDRINUSE => IsLinux ? 98 : 48;

    public static int EADDRNOTAVAIL => IsLinux ? 99 : 49;

    public static int ENETUNREACH => IsLinux ? 101 : 51;

    public static int ECONNABORTED => IsLinux ? 103 : 53;

    public static int ECONNRESET => IsLinux ? 104 : 54;

    public static int ENOBUFS => IsLinux ? 105 : 55;

    public static int ENOTCONN => IsLinux ? 107 : 57;

    public static int ETIMEDOUT => IsLinux ? 110 : 60;

    public static int ECONNREFUSED => IsLinux ? 111 : 61;

    public static int EHOSTUNREACH => IsLinux ? 113 : 65;

    public static int EINPROGRESS => IsLinux ? 115 : 36;

    public static int EMSGSIZE => IsLinux ? 90 : 40;

    public static int EDESTADDRREQ => IsLinux ? 89 : 39;

    public static int EAFNOSUPPORT => IsLinux ? 97 : 47;

    public static int EISCONN => IsLinux ? 106 : 56;

    public static int EALREADY => IsLinux ? 114 : 37;

    public static int EOPNOTSUPP => IsLinux ? 95 : IsMac ? 102 : 45;

    public static int ENOPROTOOPT => IsLinux ? 92 : 42;

    // The JIT and the AOT compiler know these: what is for another system costs nothing.
    private static bool IsLinux => OperatingSystem.IsLinux();

    private static bool IsMac => OperatingSystem.IsMacOS();

    private static uint FIOCLEX => IsLinux ? 0x5451u : 0x20006601;

    private static uint FIONBIO => IsLinux ? 0x5421u : 0x8004667E;

    private static int SOCK_NONBLOCK => IsLinux ? 0x800 : IsMac ? 0 : 0x20000000;

    private static int SOCK_CLOEXEC => IsLinux ? 0x80000 : IsMac ? 0 : 0x10000000;

    private static int MSG_NOSIGNAL => IsLinux ? 0x4000 : IsMac ? 0 : 0x20000;

    private static int SOL_SOCKET => IsLinux ? 1 : 0xFFFF;

    private static int SO_REUSEADDR => IsLinux ? 2 : 4;

    private static int SO_ERROR => IsLinux ? 4 : 0x1007;

    private static int SO_BROADCAST => IsLinux ? 6 : 0x20;

    private static int SO_SNDBUF => IsLinux ? 7 : 0x1001;

    private static int SO_RCVBUF => IsLinux ? 8 : 0x1002;

    private static int SO_KEEPALIVE => IsLinux ? 9 : 8;

    // macOS counts SO_LINGER in ticks, and SO_LINGER_SEC in seconds.
    private static int SO_LINGER => IsLinux ? 13 : IsMac ? 0x1080 : 0x80;

    private static int SO_REUSEPORT => IsLinux ? 15 : 0x200;

    private static int IPV6_V6ONLY => IsLinux ? 26 : 27;

    private static int TCP_KEEPIDLE => IsLinux ? 4 : IsMac ? 0x10 : 256;

    private static int TCP_KEEPINTVL => IsLinux ? 5 : IsMac ? 0x101 : 512;

    private static int TCP_KEEPCNT => IsLinux ? 6 : IsMac ? 0x102 : 1024;

    private static int TCP_FASTOPEN => IsLinux ? 23 : IsMac ? 0x105 : 1025;

    public static int AF_INET6 => IsLinux ? 10 : IsMac ? 30 : 28;

    /// <summary>errno of the last call here on this thread. Valid only right after a call.</summary>
    public static int LastError => Marshal.GetLastSystemError();

    // ---- Opening and closing ----

    public static nint Open(AddressFamily family, SocketType type, ProtocolType protocol, out int error)
    {
        int number = family switch
        {
            AddressFamily.Unix => 1,
            AddressFamily.InterNetwork => 2,
            AddressFamily.InterNetworkV6 => AF_INET6,
            _ => -1,
        };
        if (number < 0)
        {
            error = EAFNOSUPPORT;
            return -1;
        }
        int kind = type == SocketType.Dgram ? 2 : 1;
        int socket = Socket(number, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol is ProtocolType.Tcp or ProtocolType.Udp ? (int)protocol : 0);
        error = socket < 0 ? LastError : Prepare(socket, accepted: false);
        return error == 0 ? socket : -1;
    }

    public static nint Accept(nint listener, byte* address, uint* addressLength, out int error)
    {
        int socket;
        do
        {
            socket = IsMac ? Accept((int)listener, address, addressLength) : Accept4((int)listener, address, addressLength, SOCK_NONBLOCK | SOCK_CLOEXEC);
            error = socket < 0 ? LastError : Prepare(socket, accepted: true);
        }
        while (error == EINTR);
        if (error == 0)
            return socket;
        if (error == EAGAIN)
            error = SystemSockets.WouldBlock;
        return -1;
    }

    // What the flags of socket(2) do elsewhere: not to block, not to be inherited, no signal. Closes the socket when it fails.
    private static int Prepare(int socket, bool accepted)
    {
        if (!IsMac)
            return 0;
        int on = 1;
        // What is accepted has no signals from its listener; and macOS sets no option on a connection that has been reset already.
        if (InputOutputControl(socket, FIOCLEX, 0, 0, 0, 0, 0, 0, 0) == 0 && SetNonBlocking(socket, &on) == 0 &&
            (accepted || SetSocketOption(socket, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(int)) == 0))
            return 0;
        int error = LastError;
        _ = Close(socket);
        return error;
    }

    // ioctl(2) is variadic. On Apple's Arm64 what is variadic goes on the stack, which the ninth argument does anyway.
    private static int SetNonBlocking(int socket, int* on) =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64
            ? InputOutputControl(socket, FIONBIO, 0, 0, 0, 0, 0, 0, (nint)on)
            : InputOutputControl(socket, FIONBIO, (nint)on, 0, 0, 0, 0, 0, 0);

    public static int Close(nint socket) => Result(Close((int)socket));

    public static int Shutdown(nint socket, SocketShutdown how) => Result(Shutdown((int)socket, how switch
    {
        SocketShutdown.Receive => SHUT_RD,
        SocketShutdown.Send => SHUT_WR,
        _ => SHUT_RDWR,
    }));

    // ---- Addresses ----

    public static int Bind(nint socket, byte* address, int length) => Result(Bind((int)socket, address, (uint)length));

    public static int Listen(nint socket, int backlog) => Result(Listen((int)socket, backlog));

    public static int Connect(nint socket, byte* address, int length)
    {
        int error = Result(Connect((int)socket, address, (uint)length));
        // Interrupted, it goes on all the same (connect(2)). A Unix socket whose listener is full says EAGAIN, and does not go on.
        return error == -EINPROGRESS || error == -EINTR ? SystemSockets.WouldBlock : error;
    }

    public static int GetLocalAddress(nint socket, byte* address, uint* length) => Result(GetSocketName((int)socket, address, length));

    public static int GetPeerAddress(nint socket, byte* address, uint* length) => Result(GetPeerName((int)socket, address, length));

    // ---- Reading and writing ----

    public static int Receive(nint socket, byte* buffer, int length, bool peek)
    {
        while (true)
        {
            int n = (int)Receive((int)socket, buffer, length, peek ? MSG_PEEK : 0);
            if (n >= 0)
                return n;
            int error = LastError;
            if (error == EAGAIN)
                return SystemSockets.WouldBlock;
            if (error != EINTR)
                return -error;
        }
    }

    public static int Send(nint socket, byte* buffer, int length)
    {
        while (true)
        {
            int n = (int)Send((int)socket, buffer, length, MSG_NOSIGNAL);
            if (n >= 0)
                return n;
            int error = LastError;
            if (error == EAGAIN)
                return SystemSockets.WouldBlock;
            if (error != EINTR)
                return -error;
        }
    }

    public static int SendVectors(nint socket, IOVector* vectors, int count)
    {
        if (IsLinux)
        {
            LinuxMessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
            return SendMessage(socket, &message);
        }
        BsdMessageHeader bsdMessage = new() { Vectors = vectors, VectorCount = count };
        return SendMessage(socket, &bsdMessage);
    }

    private static int SendMessage(nint socket, void* message)
    {
        while (true)
        {
            int n = (int)SendMessage((int)socket, message, MSG_NOSIGNAL);
            if (n >= 0)
                return n;
            int error = LastError;
            if (error == EAGAIN)
                return SystemSockets.WouldBlock;
            if (error != EINTR)
                return -error;
        }
    }

    // ---- Options ----

    public static int SetOption(nint socket, SocketOptionLevel level, SocketOptionName name, int value) =>
        TryMap(level, name, out int systemLevel, out int systemName)
            ? Result(SetSocketOption((int)socket, systemLevel, systemName, &value, sizeof(int)))
            : -ENOPROTOOPT;

    public static int GetOption(nint socket, SocketOptionLevel level, SocketOptionName name, out int value)
    {
        int got = 0;
        uint length = sizeof(int);
        int result = TryMap(level, name, out int systemLevel, out int systemName)
            ? Result(GetSocketOption((int)socket, systemLevel, systemName, &got, &length))
            : -ENOPROTOOPT;
        value = got;
        return result;
    }

    private static bool TryMap(SocketOptionLevel level, SocketOptionName name, out int systemLevel, out int systemName)
    {
        (systemLevel, systemName) = (level, name) switch
        {
            (SocketOptionLevel.Socket, SocketOptionName.ReuseAddress) => (SOL_SOCKET, SO_REUSEADDR),
            (SocketOptionLevel.Socket, SocketOptionName.Error) => (SOL_SOCKET, SO_ERROR),
            (SocketOptionLevel.Socket, SocketOptionName.Broadcast) => (SOL_SOCKET, SO_BROADCAST),
            (SocketOptionLevel.Socket, SocketOptionName.SendBuffer) => (SOL_SOCKET, SO_SNDBUF),
            (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer) => (SOL_SOCKET, SO_RCVBUF),
            (SocketOptionLevel.Socket, SocketOptionName.KeepAlive) => (SOL_SOCKET, SO_KEEPALIVE),
            (SocketOptionLevel.IPv6, SocketOptionName.IPv6Only) => (IPPROTO_IPV6, IPV6_V6ONLY),
            (SocketOptionLevel.Tcp, SocketOptionName.NoDelay) => (IPPROTO_TCP, TCP_NODELAY),
            (SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime) => (IPPROTO_TCP, TCP_KEEPIDLE),
            (SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval) => (IPPROTO_TCP, TCP_KEEPINTVL),
            (SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount) => (IPPROTO_TCP, TCP_KEEPCNT),
            (SocketOptionLevel.Tcp, SocketOptionName.FastOpen) => (IPPROTO_TCP, TCP_FASTOPEN),
            _ => (-1, -1),
        };
        return systemName >= 0;
    }

    public static int SetLinger(nint socket, bool on, int seconds)
    {
        (int OnOff, int Seconds) linger = (on ? 1 : 0, seconds);
        return Result(SetSocketOption((int)socket, SOL_SOCKET, SO_LINGER, &linger, (uint)sizeof((int, int))));
    }

    /// <summary>Lets other sockets of the process listen on the same address, and the system share the connections out among
    /// them: SO_REUSEPORT, on FreeBSD SO_REUSEPORT_LB. macOS has no such thing.</summary>
    public static int ShareAddress(nint socket)
    {
        int on = 1;
        return IsMac ? -ENOPROTOOPT : Result(SetSocketOption((int)socket, SOL_SOCKET, IsLinux ? SO_REUSEPORT : SO_REUSEPORT_LB, &on, sizeof(int)));
    }

    // ---- Errors ----

    public static bool IsOfOneConnection(int error) => error == ECONNABORTED || error == EPROTO || (IsLinux && IsNetworkError(error));

    // accept(2) on Linux reports what was already pending on the new socket.
    private static bool IsNetworkError(int error) => error is 64 /* ENONET */ or 92 /* ENOPROTOOPT */ or 95 /* EOPNOTSUPP */ or
        100 /* ENETDOWN */ or 101 /* ENETUNREACH */ or 112 /* EHOSTDOWN */ or 113 /* EHOSTUNREACH */;

    public static bool IsExhaustion(int error) => error is EMFILE or ENFILE or ENOMEM || error == ENOBUFS;

    public static SocketError ErrorOf(int errno)
    {
        if (errno == EAGAIN)
            return SocketError.WouldBlock;
        if (errno == ENOBUFS || errno == ENOMEM)
            return SocketError.NoBufferSpaceAvailable;
        if (errno == EADDRINUSE)
            return SocketError.AddressAlreadyInUse;
        if (errno == EADDRNOTAVAIL)
            return SocketError.AddressNotAvailable;
        if (errno == ECONNABORTED)
            return SocketError.ConnectionAborted;
        if (errno == ECONNRESET)
            return SocketError.ConnectionReset;
        if (errno == ENOTCONN)
            return SocketError.NotConnected;
        if (errno == ETIMEDOUT)
            return SocketError.TimedOut;
        if (errno == ECONNREFUSED)
            return SocketError.ConnectionRefused;
        if (errno == ENETUNREACH)
            return SocketError.NetworkUnreachable;
        if (errno == EHOSTUNREACH)
            return SocketError.HostUnreachable;
        if (errno == EMSGSIZE)
            return SocketError.MessageSize;
        if (errno == EDESTADDRREQ)
            return SocketError.DestinationAddressRequired;
        if (errno == EAFNOSUPPORT)
            return SocketError.AddressFamilyNotSupported;
        if (errno == EISCONN)
            return SocketError.IsConnected;
        if (errno == EALREADY)
            return SocketError.AlreadyInProgress;
        if (errno == EOPNOTSUPP)
            return SocketError.OperationNotSupported;
        if (errno == ENOPROTOOPT)
            return SocketError.ProtocolOption;
        return errno switch
        {
            EACCES => SocketError.AccessDenied,
            EINVAL => SocketError.InvalidArgument,
            EMFILE or ENFILE => SocketError.TooManyOpenSockets,
            EPIPE => SocketError.Shutdown,
            _ => SocketError.SocketError,
        };
    }

    private static int Result(int result) => result >= 0 ? result : -LastError;

    // ---- The C library ----

    [StructLayout(LayoutKind.Sequential)]
    public struct LinuxMessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IOVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct BsdMessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IOVector* Vectors;
        public int VectorCount;
        public void* Control;
        public uint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", EntryPoint = "recv")]
    [SuppressGCTransition]
    private static partial nint Receive(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    [SuppressGCTransition]
    private static partial nint Send(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    [SuppressGCTransition]
    private static partial nint SendMessage(int socket, void* message, int flags);

    [LibraryImport("libc", EntryPoint = "accept4")]
    [SuppressGCTransition]
    private static partial int Accept4(int socket, byte* address, uint* addressLength, int flags);

    [LibraryImport("libc", EntryPoint = "accept")]
    [SuppressGCTransition]
    private static partial int Accept(int socket, byte* address, uint* addressLength);

    [LibraryImport("libc", EntryPoint = "socket")]
    [SuppressGCTransition]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind")]
    [SuppressGCTransition]
    private static partial int Bind(int socket, byte* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "listen")]
    [SuppressGCTransition]
    private static partial int Listen(int socket, int backlog);

    [LibraryImport("libc", EntryPoint = "connect")]
    [SuppressGCTransition]
    private static partial int Connect(int socket, byte* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    [SuppressGCTransition]
    private static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "close")]
    [SuppressGCTransition]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    [SuppressGCTransition]
    private static partial int SetSocketOption(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    [SuppressGCTransition]
    private static partial int GetSocketOption(int socket, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    [SuppressGCTransition]
    private static partial int GetSocketName(int socket, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "getpeername")]
    [SuppressGCTransition]
    private static partial int GetPeerName(int socket, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int InputOutputControl(int descriptor, nuint request, nint a, nint b, nint c, nint d, nint e, nint f, nint g);
}
