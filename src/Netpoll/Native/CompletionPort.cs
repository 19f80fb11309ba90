using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>I/O completion ports, with their constants from winbase.h and winnt.h.</summary>
internal static unsafe partial class CompletionPort
{
    private const nint InvalidHandle = -1;
    private const byte FILE_SKIP_SET_EVENT_ON_HANDLE = 0x2;

    /// <summary>OVERLAPPED_ENTRY.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Entry
    {
        public nuint Key;
        public nint Overlapped;
        public nuint Internal;
        public uint BytesTransferred;
    }

    /// <summary>A port that lets as many threads take from it as like to. The usual limit counts those that are running with what they
    /// took, and here that may be a machine whose processor, and port, is another's by now.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The system refused.</exception>
    public static nint Create()
    {
        nint port = CreateIoCompletionPort(InvalidHandle, 0, 0, int.MaxValue);
        return port != 0 ? port : throw SystemSockets.ExceptionFor(Marshal.GetLastPInvokeError(), "CreateIoCompletionPort");
    }

    /// <summary>Has what is asked of a handle from now on complete at the port, with a key. 0, or the error.</summary>
    public static int Associate(nint port, nint handle, nuint key)
    {
        if (CreateIoCompletionPort(handle, port, key, 0) == 0)
            return Marshal.GetLastPInvokeError();
        _ = SetFileCompletionNotificationModes(handle, FILE_SKIP_SET_EVENT_ON_HANDLE); // nobody waits for the handle itself
        return 0;
    }

    /// <summary>Takes completions, waiting for the first; none when the time is over.</summary>
    /// <param name="port">The port.</param>
    /// <param name="entries">Where to put them.</param>
    /// <param name="max">At most this many.</param>
    /// <param name="milliseconds">0 does not wait, -1 does without end.</param>
    public static int Take(nint port, Entry* entries, int max, int milliseconds)
    {
        uint count;
        return GetQueuedCompletionStatusEx(port, entries, (uint)max, &count, milliseconds, alertable: 0) != 0 ? (int)count : 0;
    }

    /// <summary>Puts one there that has nothing but a key. False when the system has no memory.</summary>
    public static bool Post(nint port, nuint key) => PostQueuedCompletionStatus(port, 0, key, 0) != 0;

    /// <summary>Closes a port, or any handle.</summary>
    public static void Close(nint handle) => _ = CloseHandle(handle);

    [LibraryImport("kernel32", EntryPoint = "CreateIoCompletionPort", SetLastError = true)]
    private static partial nint CreateIoCompletionPort(nint file, nint port, nuint key, int concurrentThreads);

    /// <summary>May sleep.</summary>
    [LibraryImport("kernel32", EntryPoint = "GetQueuedCompletionStatusEx")]
    private static partial int GetQueuedCompletionStatusEx(
        nint port, Entry* entries, uint max, uint* count, int milliseconds, int alertable);

    [LibraryImport("kernel32", EntryPoint = "PostQueuedCompletionStatus")]
    private static partial int PostQueuedCompletionStatus(nint port, uint bytesTransferred, nuint key, nint overlapped);

    [LibraryImport("kernel32", EntryPoint = "SetFileCompletionNotificationModes")]
    private static partial int SetFileCompletionNotificationModes(nint file, byte flags);

    [LibraryImport("kernel32", EntryPoint = "CloseHandle")]
    private static partial int CloseHandle(nint handle);
}
