using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>mmap(2) and its kin, on Linux, macOS and FreeBSD.</summary>
internal static unsafe partial class UnixMemory
{
    public const int MADV_DONTNEED = 4; // Linux: the pages are gone at once
    public const int MADV_FREE = 5; // macOS, FreeBSD: they are, when the system needs some
    public const int MADV_HUGEPAGE = 14; // Linux

    private const int PROT_READ = 1;
    private const int PROT_WRITE = 2;
    private const int MAP_PRIVATE = 2;

    private static int Anonymous => OperatingSystem.IsLinux() ? 0x20 : 0x1000;

    /// <summary>Fresh pages; null when there are none.</summary>
    public static byte* TryMap(nuint size)
    {
        void* start = MMap(null, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | Anonymous, -1, 0);
        return (nint)start == -1 ? null : (byte*)start;
    }

    public static void Unmap(byte* start, nuint size) => _ = MUnmap(start, size);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* MMap(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MUnmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    public static partial int Advise(void* address, nuint length, int advice);
}
