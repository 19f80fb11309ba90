using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

// Whose kqueue(2) it is, on 64-bit systems. The sources are bsd/sys/event.h of xnu, sys/sys/event.h of FreeBSD and
// include/sys/event.h of libkqueue; everything that is a constant below is the same in all three.
//
//                    macOS         FreeBSD 12 or later    Linux over libkqueue
//   library          libSystem     libc                   the one that NETGO_LIBKQUEUE names
//   struct kevent    32 bytes      64: ext[4] at the end  32 bytes
//   EVFILT_USER      -10           -11                    -11
//   a descriptor     is forgotten  is forgotten           stays known, and its number is then of no use until EV_DELETE
//   that is closed                                        (BUGS.md of libkqueue)

/// <summary>The system calls that a kqueue needs, where there are any.</summary>
internal sealed unsafe class Kqueue
{
    /// <summary>The environment variable with the path of libkqueue's shared object, on Linux.</summary>
    public const string LibraryVariable = "NETGO_LIBKQUEUE";

    public const short EVFILT_READ = -1;
    public const short EVFILT_WRITE = -2;

    public const ushort EV_ADD = 0x1;
    public const ushort EV_DELETE = 0x2;
    public const ushort EV_ENABLE = 0x4;
    public const ushort EV_DISABLE = 0x8;
    public const ushort EV_CLEAR = 0x20;
    public const ushort EV_EOF = 0x8000;

    public const uint NOTE_TRIGGER = 0x0100_0000;

    /// <summary>The size of the larger of the two kinds of struct kevent.</summary>
    public const int MaxEventSize = 64;

    // Darwin refuses longer ones (EINVAL). Who sleeps comes back and sleeps again.
    private const long MaxTimeoutSeconds = 1_000_000;

    private static readonly Lazy<(Kqueue? Found, string? Missing)> s_system = new(static () => Find());

    private readonly delegate* unmanaged<int> _kqueue;
    private readonly delegate* unmanaged<int, void*, int, void*, int, TimeSpecification*, int> _keventThatMaySleep;
    private readonly delegate* unmanaged[SuppressGCTransition]<int, void*, int, void*, int, TimeSpecification*, int> _kevent;
    private readonly delegate* unmanaged<int, int> _close;
    private readonly int _eventSize;

    /// <summary>struct kevent of macOS and libkqueue, and how the one of FreeBSD begins.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Event
    {
        public nuint Identifier;
        public short Filter;
        public ushort Flags;
        public uint FilterFlags;
        public nint Data;
        public ulong UserData;
    }

    /// <summary>struct kevent of FreeBSD 12 or later.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FreeBsdEvent
    {
        public Event Common;
        public fixed ulong Extensions[4];
    }

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }

    private Kqueue(nint library, int eventSize, short userFilter, bool forgetsClosed)
    {
        _kqueue = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "kqueue");
        nint kevent = NativeLibrary.GetExport(library, "kevent");
        _keventThatMaySleep = (delegate* unmanaged<int, void*, int, void*, int, TimeSpecification*, int>)kevent;
        _kevent = (delegate* unmanaged[SuppressGCTransition]<int, void*, int, void*, int, TimeSpecification*, int>)kevent;
        // In libkqueue there is none, and it is found in the libc which that needs: its kqueues are closed like any descriptor.
        _close = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "close");
        _eventSize = eventSize;
        UserFilter = userFilter;
        ForgetsClosed = forgetsClosed;
    }

    /// <summary>EVFILT_USER.</summary>
    public short UserFilter { get; }

    /// <summary>Whether closing a descriptor takes it out of a kqueue.</summary>
    public bool ForgetsClosed { get; }

    /// <summary>The system's, or why it has none.</summary>
    public static bool TryGet([NotNullWhen(true)] out Kqueue? kqueue, [NotNullWhen(false)] out string? missing)
    {
        (kqueue, missing) = s_system.Value;
        return kqueue is not null;
    }

    private static (Kqueue? Found, string? Missing) Find()
    {
        if (OperatingSystem.IsMacOS())
            return Load("/usr/lib/libSystem.B.dylib", sizeof(Event), -10, forgetsClosed: true);
        if (OperatingSystem.IsFreeBSD())
            return Load("libc.so.7", sizeof(FreeBsdEvent), -11, forgetsClosed: true);
        if (!OperatingSystem.IsLinux())
            return (null, "This system has no kqueue.");
        string? path = Environment.GetEnvironmentVariable(LibraryVariable);
        return string.IsNullOrEmpty(path)
            ? (null, $"Linux has no kqueue: set {LibraryVariable} to the path of libkqueue's shared object.")
            : Load(path, sizeof(Event), -11, forgetsClosed: false);
    }

    private static (Kqueue? Found, string? Missing) Load(string path, int eventSize, short userFilter, bool forgetsClosed)
    {
        try
        {
            return (new Kqueue(NativeLibrary.Load(path), eventSize, userFilter, forgetsClosed), null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            return (null, $"There is no kqueue in {path}: {e.Message}");
        }
    }

    /// <summary>A new kqueue, or -1. No child process inherits it.</summary>
    public int Create() => _kqueue();

    public void Close(int kqueue) => _ = _close(kqueue);

    /// <summary>Makes changes, in this order. 0, or the errno of the first that failed; those before it are made.</summary>
    public int Change(int kqueue, params ReadOnlySpan<Event> changes)
    {
        byte* list = stackalloc byte[changes.Length * MaxEventSize];
        for (int i = 0; i < changes.Length; i++)
            At(list, i) = changes[i];
        return _kevent(kqueue, list, changes.Length, null, 0, null) < 0 ? UnixSockets.LastError : 0;
    }

    /// <summary>Waits for events. Their number; -1 when interrupted.</summary>
    /// <param name="kqueue">Of which kqueue.</param>
    /// <param name="events">Room for them, <see cref="MaxEventSize"/> bytes for each.</param>
    /// <param name="count">For how many.</param>
    /// <param name="timeout">Nanoseconds; 0 does not wait, a negative number waits for ever.</param>
    public int Wait(int kqueue, void* events, int count, long timeout)
    {
        var specification = new TimeSpecification { Seconds = timeout / 1_000_000_000, Nanoseconds = timeout % 1_000_000_000 };
        if (timeout == 0)
            return _kevent(kqueue, null, 0, events, count, &specification);
        specification.Seconds = Math.Min(specification.Seconds, MaxTimeoutSeconds);
        return _keventThatMaySleep(kqueue, null, 0, events, count, timeout < 0 ? null : &specification);
    }

    /// <summary>One of the events that a wait has returned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Event At(void* events, int index) => ref *(Event*)((byte*)events + index * _eventSize);
}
