using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>What is at a path: the file itself, not what a symbolic link stands for. Files by the C library of Linux, macOS and FreeBSD;
/// numbers and layouts are those of Linux's uapi headers and of macOS's and FreeBSD's sys/stat.h. Paths end with a NUL. The calls
/// may sleep in a file system.</summary>
internal static unsafe partial class UnixFiles
{
    private const int AT_FDCWD_MAC = -2;
    private const int AT_FDCWD = -100;
    private const uint STATX_TYPE = 1;
    private const uint STATX_INO = 0x100;

    private static int CurrentDirectory => OperatingSystem.IsMacOS() ? AT_FDCWD_MAC : AT_FDCWD;

    private static int AT_SYMLINK_NOFOLLOW => OperatingSystem.IsLinux() ? 0x100 : OperatingSystem.IsMacOS() ? 0x20 : 0x200;

    /// <summary>struct statx. glibc has no function for struct stat that all its versions export.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct LinuxStatus
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }

    /// <summary>struct stat of macOS, with 64-bit inode numbers.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    public struct MacStatus
    {
        [FieldOffset(0)]
        public uint Device;

        [FieldOffset(4)]
        public ushort Mode;

        [FieldOffset(8)]
        public ulong Inode;
    }

    /// <summary>struct stat of FreeBSD, since its version 12.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 224)]
    public struct FreeBsdStatus
    {
        [FieldOffset(0)]
        public ulong Device;

        [FieldOffset(8)]
        public ulong Inode;

        [FieldOffset(24)]
        public ushort Mode;
    }

    /// <summary>The file at a path; null when there is none.</summary>
    public static FileIdentity? Find(ReadOnlySpan<byte> path)
    {
        fixed (byte* raw = path)
        {
            if (OperatingSystem.IsLinux())
            {
                LinuxStatus status;
                return StatX(AT_FDCWD, raw, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, &status) == 0
                    ? new FileIdentity(((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.Inode, status.Mode)
                    : null;
            }
            if (OperatingSystem.IsMacOS())
            {
                MacStatus status;
                int result = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? LStat(raw, &status) : LStatWithLongInodes(raw, &status);
                return result == 0 ? new FileIdentity(status.Device, status.Inode, status.Mode) : null;
            }
            FreeBsdStatus bsdStatus;
            return LStat(raw, &bsdStatus) == 0 ? new FileIdentity(bsdStatus.Device, bsdStatus.Inode, bsdStatus.Mode) : null;
        }
    }

    /// <summary>Removes the name.</summary>
    public static int Unlink(ReadOnlySpan<byte> path)
    {
        fixed (byte* raw = path)
            return Unlink(raw) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Sets the permissions of a file, not of what a link stands for.</summary>
    public static int SetMode(ReadOnlySpan<byte> path, UnixFileMode mode)
    {
        fixed (byte* raw = path)
            return ChangeMode(CurrentDirectory, raw, (uint)mode, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int StatX(int directory, byte* path, int flags, uint mask, LinuxStatus* status);

    [LibraryImport("libc", EntryPoint = "lstat")]
    private static partial int LStat(byte* path, void* status);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64")]
    private static partial int LStatWithLongInodes(byte* path, void* status);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true)]
    private static partial int Unlink(byte* path);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true)]
    private static partial int ChangeMode(int directory, byte* path, uint mode, int flags);
}

/// <summary>Which file it is, and of which type.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, ushort Mode)
{
    private const int TypeMask = 0xF000;
    private const int SocketType = 0xC000;

    public bool IsSocket => (Mode & TypeMask) == SocketType;

    public bool IsSameFileAs(FileIdentity? other) => other is { } file && file.Device == Device && file.Inode == Inode;
}
