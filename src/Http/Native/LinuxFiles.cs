using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>Files by Linux' own calls, with numbers and layouts from its uapi headers: to look at a file before it is opened, and to know
/// where it is in truth. Paths end with a NUL.</summary>
internal static unsafe partial class LinuxFiles
{
    public const int ENOENT = 2;
    public const int EACCES = 13;
    public const int EPERM = 1;
    public const int ENXIO = 6;
    public const int ENOTDIR = 20;
    public const int EINVAL = 22;
    public const int ENAMETOOLONG = 36;
    public const int ELOOP = 40;

    private const int AT_FDCWD = -100;
    private const int AT_EMPTY_PATH = 0x1000;
    private const int EINTR = 4;
    private const int O_NOCTTY = 0x100;
    private const int O_NONBLOCK = 0x800;
    private const int O_CLOEXEC = 0x80000;
    private const int O_PATH = 0x200000;
    private const uint STATX_TYPE = 1;
    private const uint STATX_MTIME = 0x40;
    private const uint STATX_SIZE = 0x200;
    private const int MaxPath = 4096;

    /// <summary>Whether all of it works here: /proc may not be mounted.</summary>
    public static bool Works { get; } = Probe();

    /// <summary>struct statx.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Status
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(112)]
        public long ModifiedSeconds;

        [FieldOffset(120)]
        public uint ModifiedNanoseconds;

        public readonly bool IsDirectory => (Mode & 0xf000) == 0x4000;

        public readonly bool IsRegular => (Mode & 0xf000) == 0x8000;

        public readonly DateTimeOffset Modified => DateTimeOffset.UnixEpoch.AddTicks(ModifiedSeconds * TimeSpan.TicksPerSecond + ModifiedNanoseconds / 100);
    }

    /// <summary>Takes hold of a file without opening it (O_PATH): nothing happens to it, whatever it is. Null and an error number.</summary>
    public static SafeFileHandle? Find(SafeFileHandle? directory, string path, out int error)
    {
        bool held = false;
        try
        {
            directory?.DangerousAddRef(ref held);
            int from = directory is null ? AT_FDCWD : (int)directory.DangerousGetHandle();
            return Wrap(() => OpenAt(from, path, O_PATH | O_CLOEXEC, 0), out error);
        }
        finally
        {
            if (held)
                directory!.DangerousRelease();
        }
    }

    /// <summary>Opens for reading what <see cref="Find"/> has taken hold of: that very file, whatever its path leads to by now.</summary>
    public static SafeFileHandle? Reopen(SafeFileHandle found, out int error)
    {
        string path = PathOf(found);
        return Wrap(() => OpenAt(AT_FDCWD, path, O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0), out error);
    }

    /// <summary>What a handle can be reached by, as long as it is open.</summary>
    public static string PathOf(SafeFileHandle file) => $"/proc/self/fd/{file.DangerousGetHandle()}";

    public static bool TryGetStatus(SafeFileHandle file, out Status status)
    {
        Status result = default;
        byte empty = 0;
        int outcome = StatX((int)file.DangerousGetHandle(), &empty, AT_EMPTY_PATH, STATX_TYPE | STATX_SIZE | STATX_MTIME, &result);
        status = result;
        return outcome == 0;
    }

    /// <summary>Whether a file is the directory or in it or below it, in truth: by the kernel's word, without links.</summary>
    public static bool IsWithin(SafeFileHandle directory, SafeFileHandle file)
    {
        Span<byte> outer = stackalloc byte[MaxPath];
        Span<byte> inner = stackalloc byte[MaxPath];
        int outerLength = RealPath(directory, outer);
        int innerLength = RealPath(file, inner);
        if (outerLength <= 0 || innerLength < outerLength)
            return false;
        outer = outer[..outerLength];
        inner = inner[..innerLength];
        return inner.StartsWith(outer) && (innerLength == outerLength || outer[^1] == '/' || inner[outerLength] == '/');
    }

    // 0 when it is not known whole.
    private static int RealPath(SafeFileHandle file, Span<byte> path)
    {
        fixed (byte* to = path)
        {
            nint n = ReadLink(PathOf(file), to, (nuint)path.Length);
            return n > 0 && n < path.Length && path[0] == '/' ? (int)n : 0;
        }
    }

    private static SafeFileHandle? Wrap(Func<int> open, out int error)
    {
        int descriptor;
        do
        {
            descriptor = open();
            error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
        while (error == EINTR);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static bool Probe()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            using SafeFileHandle? root = Find(null, "/", out _);
            return root is not null && TryGetStatus(root, out Status status) && status.IsDirectory && IsWithin(root, root);
        }
        catch (EntryPointNotFoundException)
        {
            return false; // statx came with glibc 2.28
        }
    }

    // openat takes its mode as one of a variable number of arguments. On Linux' 64-bit machines they are passed as the others are.
    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int directory, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static partial int StatX(int directory, byte* path, int flags, uint mask, Status* status);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadLink(string path, byte* target, nuint size);
}
