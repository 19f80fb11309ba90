using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>Memory by pages, from the system. Fresh pages are zero, and none are there before they are touched.</summary>
internal static unsafe partial class PageMemory
{
    /// <summary>Reserves addresses, and with them, as far as the system promises any, pages.</summary>
    /// <param name="size">In bytes, a multiple of the page's size.</param>
    /// <param name="alignment">In bytes, a power of two; more than a page only where that helps.</param>
    /// <param name="systemNode">The system's number of the node whose memory is wanted; negative for any.</param>
    /// <param name="hugePages">Whether the system shall use large pages, if it can.</param>
    /// <returns>Null when the system has no more.</returns>
    public static byte* TryMap(nuint size, nuint alignment, int systemNode, bool hugePages)
    {
        if (OperatingSystem.IsWindows())
            return MapOnWindows(size);
        byte* start = MapAligned(size, alignment);
        if (start is not null && OperatingSystem.IsLinux())
        {
            if (systemNode >= 0)
                LinuxNuma.Prefer(start, size, systemNode);
            if (hugePages)
                _ = UnixMemory.Advise(start, size, UnixMemory.MADV_HUGEPAGE);
        }
        return start;
    }

    private static byte* MapAligned(nuint size, nuint alignment)
    {
        byte* start = UnixMemory.TryMap(size);
        if (start is null || ((nuint)start & (alignment - 1)) == 0)
            return start;
        UnixMemory.Unmap(start, size);
        byte* larger = UnixMemory.TryMap(size + alignment);
        if (larger is null)
            return null;
        nuint before = (alignment - ((nuint)larger & (alignment - 1))) & (alignment - 1);
        if (before > 0)
            UnixMemory.Unmap(larger, before);
        if (alignment > before)
            UnixMemory.Unmap(larger + before + size, alignment - before);
        return larger + before;
    }

    private static byte* MapOnWindows(nuint size) =>
        (byte*)WindowsMemory.VirtualAlloc(null, size, WindowsMemory.MEM_RESERVE | WindowsMemory.MEM_COMMIT, WindowsMemory.PAGE_READWRITE);

    /// <summary>Gives the pages back to the system; the addresses stay, and new pages come when they are touched. What was in them is
    /// undefined then.</summary>
    public static void Discard(byte* start, nuint size)
    {
        if (OperatingSystem.IsWindows())
            _ = WindowsMemory.DiscardVirtualMemory(start, size);
        else
            _ = UnixMemory.Advise(start, size, OperatingSystem.IsLinux() ? UnixMemory.MADV_DONTNEED : UnixMemory.MADV_FREE);
    }

    /// <summary>Gives pages and addresses back.</summary>
    public static void Unmap(byte* start, nuint size)
    {
        if (OperatingSystem.IsWindows())
            _ = WindowsMemory.VirtualFree(start, 0, WindowsMemory.MEM_RELEASE);
        else
            UnixMemory.Unmap(start, size);
    }
}
