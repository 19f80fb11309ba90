using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>AFD, the driver below Winsock, which can be asked when sockets are ready.</summary>
/// <remarks>Its interface is not documented, but select() and WSAPoll() of every Windows NT are made of it, and so are the pollers of
/// libuv, wepoll (Node.js, ZeroMQ) and mio (Tokio). Wine has it for the same reason. The numbers and layouts are those that
/// ReactOS's and Wine's headers have.</remarks>
internal static unsafe partial class Afd
{
    public const uint AFD_POLL_RECEIVE = 0x001;
    public const uint AFD_POLL_SEND = 0x004;

    /// <summary>The peer will send no more.</summary>
    public const uint AFD_POLL_DISCONNECT = 0x008;

    /// <summary>The connection was reset.</summary>
    public const uint AFD_POLL_ABORT = 0x010;

    /// <summary>The socket was closed here.</summary>
    public const uint AFD_POLL_LOCAL_CLOSE = 0x020;
    public const uint AFD_POLL_ACCEPT = 0x080;
    public const uint AFD_POLL_CONNECT_FAIL = 0x100;

    private const uint IOCTL_AFD_POLL = 0x00012024;
    private const uint SYNCHRONIZE = 0x00100000;
    private const uint FILE_SHARE_READ_WRITE = 0x3;
    private const uint FILE_OPEN = 1;

    /// <summary>IO_STATUS_BLOCK.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoStatusBlock
    {
        public nint Status;
        public nuint Information;
    }

    /// <summary>AFD_POLL_INFO with one AFD_POLL_HANDLE_INFO: the question, and in the same place the answer.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct AfdPollInfo
    {
        public long Timeout;
        public uint HandleCount;
        public uint Exclusive;
        public nint Handle;
        public uint Events;
        public int Status;
    }

    /// <summary>What the kernel has of ours while it polls.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct AfdPoll
    {
        public IoStatusBlock Status;
        public AfdPollInfo Info;
    }

    /// <summary>UNICODE_STRING; lengths in bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct UnicodeString
    {
        public ushort Length;
        public ushort MaximumLength;
        public char* Buffer;
    }

    /// <summary>OBJECT_ATTRIBUTES.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ObjectAttributes
    {
        public uint Length;
        public nint RootDirectory;
        public UnicodeString* ObjectName;
        public uint Attributes;
        public void* SecurityDescriptor;
        public void* SecurityQualityOfService;
    }

    /// <summary>Opens AFD, apart from any socket, so that what is asked of it completes at the port.</summary>
    /// <exception cref="SocketException">The system refused.</exception>
    public static nint Open(nint port, nuint key)
    {
        const string Path = @"\Device\Afd\NetGo"; // what follows Afd is nobody's business but a debugger's
        ushort length = (ushort)(Path.Length * sizeof(char));
        nint handle;
        int status;
        fixed (char* path = Path)
        {
            UnicodeString name = new() { Length = length, MaximumLength = length, Buffer = path };
            ObjectAttributes attributes = new() { Length = (uint)sizeof(ObjectAttributes), ObjectName = &name };
            IoStatusBlock unused;
            status = NtCreateFile(&handle, SYNCHRONIZE, &attributes, &unused, null, 0, FILE_SHARE_READ_WRITE, FILE_OPEN, 0, null, 0);
        }
        int error = IsError(status) ? RtlNtStatusToDosError(status) : CompletionPort.Associate(port, handle, key);
        if (error == 0)
            return handle;
        if (!IsError(status))
            CompletionPort.Close(handle);
        throw SystemSockets.ExceptionFor(error, Path);
    }

    /// <summary>Asks for the events of a socket, of which the first completes the poll: at once, when there is one already. False when AFD
    /// refuses; then nothing comes to the port.</summary>
    /// <param name="afd">From <see cref="Open"/>.</param>
    /// <param name="socket">Its <see cref="WindowsSockets.BaseOf"/>.</param>
    /// <param name="events">AFD_POLL_ bits.</param>
    /// <param name="poll">Is the kernel's until the completion has come.</param>
    /// <param name="context">What the completion has as its OVERLAPPED.</param>
    public static bool BeginPoll(nint afd, nint socket, uint events, AfdPoll* poll, nint context)
    {
        poll->Info = new AfdPollInfo { Timeout = long.MaxValue, HandleCount = 1, Handle = socket, Events = events };
        uint size = (uint)sizeof(AfdPollInfo);
        return !IsError(NtDeviceIoControlFile(
            afd, 0, 0, (void*)context, &poll->Status, IOCTL_AFD_POLL, &poll->Info, size, &poll->Info, size));
    }

    /// <summary>The events that completed a poll; none when it was cancelled.</summary>
    public static uint EventsOf(AfdPoll* poll) => (int)poll->Status.Status == 0 && poll->Info.HandleCount != 0 ? poll->Info.Events : 0;

    /// <summary>Ends a poll, or all of them (null) that were begun with this handle. The completion comes to the port as usual.</summary>
    public static void Cancel(nint afd, AfdPoll* poll) => _ = CancelIoEx(afd, poll); // it begins with what an OVERLAPPED begins with

    // NT_ERROR: successes, STATUS_PENDING among them, and warnings do complete at the port.
    private static bool IsError(int status) => (uint)status >= 0xC0000000;

    [LibraryImport("kernel32", EntryPoint = "CancelIoEx")]
    private static partial int CancelIoEx(nint file, void* overlapped);

    [LibraryImport("ntdll", EntryPoint = "NtCreateFile")]
    private static partial int NtCreateFile(
        nint* handle, uint access, ObjectAttributes* attributes, IoStatusBlock* status, long* allocationSize,
        uint fileAttributes, uint share, uint disposition, uint options, void* extended, uint extendedLength);

    [LibraryImport("ntdll", EntryPoint = "NtDeviceIoControlFile")]
    private static partial int NtDeviceIoControlFile(
        nint file, nint completionEvent, nint procedure, void* context, IoStatusBlock* status,
        uint code, void* input, uint inputLength, void* output, uint outputLength);

    [LibraryImport("ntdll", EntryPoint = "RtlNtStatusToDosError")]
    private static partial int RtlNtStatusToDosError(int status);
}
