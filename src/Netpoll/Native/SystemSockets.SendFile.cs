using Microsoft.Win32.SafeHandles;

namespace NetGo.Netpoll;

internal static unsafe partial class SystemSockets
{
    /// <summary>The system cannot do it, or not with this: it has to be done another way.</summary>
    public const int NotPossible = int.MinValue + 1;

    /// <summary>Sends a piece of a file, without moving the file's position. Sleeps when the file is not in memory.</summary>
    /// <param name="socket">A connection.</param>
    /// <param name="file">Held by the caller.</param>
    /// <param name="offset">Where in the file.</param>
    /// <param name="count">More than 0.</param>
    /// <returns>How many bytes, 0 at the end of the file; <see cref="NotPossible"/> when it has to be read and written.</returns>
    public static int SendFile(nint socket, SafeFileHandle file, long offset, int count) =>
        // Windows has TransmitFile, which lets a workstation do two at a time (its documentation), and waits for all of it.
        OperatingSystem.IsWindows() ? NotPossible : UnixSockets.SendFile(socket, file.DangerousGetHandle(), offset, count);
}
