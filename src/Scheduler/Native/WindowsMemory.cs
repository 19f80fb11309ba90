using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>Windows' virtual memory.</summary>
internal static unsafe partial class WindowsMemory
{
    public const uint MEM_COMMIT = 0x1000;
    public const uint MEM_RESERVE = 0x2000;
    public const uint MEM_RELEASE = 0x8000;
    public const uint PAGE_READWRITE = 4;

    [LibraryImport("kernel32")]
    public static partial void* VirtualAlloc(void* address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    public static partial int VirtualFree(void* address, nuint size, uint type);

    [LibraryImport("kernel32")]
    public static partial uint DiscardVirtualMemory(void* address, nuint size);
}
