using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

// The numbers are those of Linux's uapi/linux/tcp.h.
internal static unsafe partial class UnixSockets
{
    private const int TCP_DEFER_ACCEPT = 9; // of Linux
    private const int TCP_FASTOPEN_CONNECT = 30; // of Linux, since 4.11

    public static int DeferAccept(nint listener, int seconds) =>
        IsLinux ? Result(SetSocketOption((int)listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(int))) : -ENOPROTOOPT;

    public static int FastOpenConnect(nint socket)
    {
        int on = 1;
        return IsLinux ? Result(SetSocketOption((int)socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(int))) : -ENOPROTOOPT;
    }

    public static int CloseLingering(nint socket) => Result(CloseThatMayBlock((int)socket));

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseThatMayBlock(int descriptor);
}
