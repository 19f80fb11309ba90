using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>open(2) of Linux, macOS and FreeBSD, with the flags of their fcntl.h.</summary>
internal static partial class UnixOpen
{
    private static int O_NONBLOCK => OperatingSystem.IsLinux() ? 0x800 : 0x4;

    private static int O_CLOEXEC => OperatingSystem.IsLinux() ? 0x80000 : OperatingSystem.IsMacOS() ? 0x1000000 : 0x100000;

    /// <summary>Opens for reading; a FIFO at once, whether somebody writes to it or not. Null when that fails.</summary>
    /// <exception cref="UnauthorizedAccessException">The process may not read it.</exception>
    public static SafeFileHandle? WithoutWaiting(string path)
    {
        const int EACCES = 13;
        int descriptor = Open(path, O_NONBLOCK | O_CLOEXEC);
        if (descriptor < 0 && Marshal.GetLastPInvokeError() == EACCES)
            throw new UnauthorizedAccessException("The file may not be read.");
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    // Without O_CREAT there is no third argument, and so none of a variable number of them.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
