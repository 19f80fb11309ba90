using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

// The numbers are those of Linux's uapi/linux/tcp.h.
internal static unsafe partial class UnixSockets
{
    private const int TCP_DEFER_ACCEPT = 9; // of Linux
    private const int TCP_INFO = 11; // of Linux
    private const int AckedOffset = 120; // of tcpi_bytes_acked in struct tcp_info, since 4.1
    private const int TCP_NOTSENT_LOWAT = 25; // of Linux, since 3.12
    private const int TCP_FASTOPEN_CONNECT = 30; // of Linux, since 4.11

    public static int DeferAccept(nint listener, int seconds) =>
        IsLinux ? Result(SetSocketOption((int)listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(int))) : -ENOPROTOOPT;

    public static int FastOpenConnect(nint socket)
    {
        int on = 1;
        return IsLinux ? Result(SetSocketOption((int)socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(int))) : -ENOPROTOOPT;
    }

    public static int LimitUnsent(nint socket, int bytes) =>
        IsLinux ? Result(SetSocketOption((int)socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(int))) : -ENOPROTOOPT;

    public static bool TryGetAcknowledged(nint socket, out long bytes)
    {
        byte* info = stackalloc byte[AckedOffset + sizeof(long)];
        uint length = AckedOffset + sizeof(long);
        bool known = IsLinux && GetSocketOption((int)socket, IPPROTO_TCP, TCP_INFO, info, &length) == 0 && length == AckedOffset + sizeof(long);
        bytes = known ? *(long*)(info + AckedOffset) : 0;
        return known;
    }

    public static int CloseLingering(nint socket) => Result(CloseThatMayBlock((int)socket));

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseThatMayBlock(int descriptor);
}
