using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>What only Unix has: credentials of peers, pairs of sockets, and descriptors that come from, or go to, other
/// processes.</summary>
internal static unsafe partial class UnixSockets
{
    public const int EBADF = 9;

    private const int SO_PEERCRED = 17; // of Linux
    private const int SOL_LOCAL = 0; // of macOS
    private const int LOCAL_PEERPID = 2; // of macOS

    public static int ENOTSOCK => IsLinux ? 88 : 38;

    public static int EPROTOTYPE => IsLinux ? 91 : 41;

    private static int SO_TYPE => IsLinux ? 3 : 0x1008;

    private static int SO_ACCEPTCONN => IsLinux ? 30 : 2;

    private static int F_DUPFD_CLOEXEC => IsLinux ? 1030 : IsMac ? 67 : 17;

    /// <summary>struct ucred of Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct LinuxCredentials
    {
        public int ProcessId;
        public uint UserId;
        public uint GroupId;
    }

    /// <summary>Who the peer of a Unix socket is: SO_PEERCRED, on macOS and FreeBSD getpeereid(3).</summary>
    public static int GetPeerCredentials(nint socket, out PeerCredentials credentials)
    {
        if (!IsLinux)
            return GetBsdPeerCredentials(socket, out credentials);
        LinuxCredentials raw = default;
        uint length = (uint)sizeof(LinuxCredentials);
        int result = Result(GetSocketOption((int)socket, SOL_SOCKET, SO_PEERCRED, &raw, &length));
        credentials = new PeerCredentials(raw.ProcessId, raw.UserId, raw.GroupId);
        return result;
    }

    // On its own: what skips the GC transition is looked up when the method that calls it is compiled, and Linux has no such function.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int GetBsdPeerCredentials(nint socket, out PeerCredentials credentials)
    {
        uint user, group;
        int process = 0;
        int error = Result(GetPeerIds((int)socket, &user, &group));
        if (error == 0 && IsMac)
        {
            uint length = sizeof(int);
            error = Result(GetSocketOption((int)socket, SOL_LOCAL, LOCAL_PEERPID, &process, &length));
        }
        credentials = new PeerCredentials(process, user, group);
        return error;
    }

    /// <summary>Two Unix stream sockets that are connected with each other.</summary>
    public static int OpenPair(out nint one, out nint other)
    {
        int* pair = stackalloc int[2];
        int error = Result(SocketPair(1, 1 | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
        if (error == 0)
        {
            error = -Prepare(pair[0], accepted: false);
            if (error != 0)
                _ = Close(pair[1]);
            else if ((error = -Prepare(pair[1], accepted: false)) != 0)
                _ = Close(pair[0]);
        }
        one = pair[0];
        other = pair[1];
        return error;
    }

    /// <summary>Another descriptor for the same socket, with this number or a greater one; not inherited by other programs.</summary>
    // fcntl(2) is variadic. On Apple's Arm64 what is variadic goes on the stack, which the ninth argument does.
    public static nint Duplicate(nint socket, int lowest) => Result(FileControl((int)socket, F_DUPFD_CLOEXEC, lowest, 0, 0, 0, 0, 0, lowest));

    /// <summary>Makes a descriptor that came from elsewhere like those of <see cref="Open"/>: not to block, for whoever else has it too,
    /// and not to be inherited by other programs.</summary>
    public static int Adopt(nint socket)
    {
        int on = 1;
        int error = Result(InputOutputControl((int)socket, FIOCLEX, 0, 0, 0, 0, 0, 0, 0));
        return error != 0 ? error : Result(SetNonBlocking((int)socket, &on));
    }

    /// <summary>Whether a descriptor is a stream socket that listens: 1 if so, 0 if it does not listen, -EPROTOTYPE when it is a socket of
    /// another kind, or what the system says.</summary>
    public static int IsListening(nint socket)
    {
        int type = 0, listening = 0;
        uint length = sizeof(int);
        int error = Result(GetSocketOption((int)socket, SOL_SOCKET, SO_TYPE, &type, &length));
        if (error != 0)
            return error;
        if (type != 1)
            return -EPROTOTYPE;
        error = Result(GetSocketOption((int)socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length));
        if (error == -ENOPROTOOPT)
            return 1; // macOS does not say; accept will
        return error != 0 ? error : listening != 0 ? 1 : 0;
    }

    [LibraryImport("libc", EntryPoint = "socketpair")]
    [SuppressGCTransition]
    private static partial int SocketPair(int family, int type, int protocol, int* pair);

    [LibraryImport("libc", EntryPoint = "getpeereid")]
    [SuppressGCTransition]
    private static partial int GetPeerIds(int socket, uint* user, uint* group);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [SuppressGCTransition]
    private static partial int FileControl(int descriptor, int command, nint a, nint b, nint c, nint d, nint e, nint f, nint g);
}
