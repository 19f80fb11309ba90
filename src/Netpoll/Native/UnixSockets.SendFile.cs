using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

// sendfile(2), of which the three systems have the name in common and little else. It sleeps when the file is not in memory, so
// it is an ordinary call.
internal static unsafe partial class UnixSockets
{
    /// <summary>Sends a piece of a file, without moving the file's position.</summary>
    /// <returns>How many bytes, 0 at the end of the file. <see cref="SystemSockets.NotPossible"/> for any error that may be the
    /// file's.</returns>
    public static int SendFile(nint socket, nint file, long offset, int count)
    {
        while (true)
        {
            long sent = SendFile((int)socket, (int)file, offset, count, out int error);
            if (sent > 0 || error == 0)
                return (int)sent;
            if (error == EAGAIN)
                return SystemSockets.WouldBlock;
            if (error != EINTR)
                return IsOfPeer(error) ? -error : SystemSockets.NotPossible;
        }
    }

    // What was sent before an error counts, and the error comes again.
    private static long SendFile(int socket, int file, long offset, int count, out int error)
    {
        long sent;
        bool failed;
        if (IsLinux)
        {
            sent = SendFileOnLinux(socket, file, &offset, (nuint)count);
            failed = sent < 0;
        }
        else if (IsMac)
        {
            sent = count;
            failed = SendFileOnMac(file, socket, offset, &sent, null, 0) < 0;
        }
        else
        {
            sent = 0;
            failed = SendFileOnFreeBsd(file, socket, offset, (nuint)count, null, &sent, 0) < 0;
        }
        error = failed ? Marshal.GetLastPInvokeError() : 0;
        return sent;
    }

    private static bool IsOfPeer(int error) =>
        error == EPIPE || error == ECONNRESET || error == ECONNABORTED || error == ENOTCONN || error == ETIMEDOUT ||
        error == EHOSTUNREACH || error == ENETUNREACH || error == ENOBUFS;

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial nint SendFileOnLinux(int socket, int file, long* offset, nuint count);

    /// <summary><c>count</c> is in and out.</summary>
    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial int SendFileOnMac(int file, int socket, long offset, long* count, void* headers, int flags);

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial int SendFileOnFreeBsd(
        int file, int socket, long offset, nuint count, void* headers, long* sent, int flags);
}
