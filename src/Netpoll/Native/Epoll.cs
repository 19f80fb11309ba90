using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>epoll(7) and eventfd(2), with their constants from Linux's uapi headers.</summary>
internal static unsafe partial class Epoll
{
    public const uint EPOLLIN = 0x1;
    public const uint EPOLLOUT = 0x4;
    public const uint EPOLLERR = 0x8;
    public const uint EPOLLHUP = 0x10;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLET = 0x80000000;
    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const int EFD_NONBLOCK = 0x800;
    public const int EFD_CLOEXEC = 0x80000;

    /// <summary>struct epoll_event, packed on x86-64 as the kernel wants it there.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct PackedEvent
    {
        public uint Events;
        public ulong Data;
    }

    /// <summary>struct epoll_event on all other architectures.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct AlignedEvent
    {
        public uint Events;
        public ulong Data;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1")]
    [SuppressGCTransition]
    public static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    [SuppressGCTransition]
    public static partial int Control(int epoll, int operation, int descriptor, void* epollEvent);

    /// <summary>May sleep.</summary>
    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    public static partial int Wait(int epoll, void* events, int maxEvents, int timeoutMilliseconds);

    /// <summary>Must be called with a time-out of 0.</summary>
    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    [SuppressGCTransition]
    public static partial int WaitNonBlocking(int epoll, void* events, int maxEvents, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    [SuppressGCTransition]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    [SuppressGCTransition]
    public static partial nint Read(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write")]
    [SuppressGCTransition]
    public static partial nint Write(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "close")]
    [SuppressGCTransition]
    public static partial int Close(int descriptor);
}
