using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Placement;

/// <summary>Where memory and threads are, by the kernel's own account. Linux on x64.</summary>
internal static unsafe partial class LinuxPlacement
{
    // asm/unistd_64.h
    private const nint SYS_move_pages = 279;
    private const nint SYS_getcpu = 309;

    private const int PageSize = 4096;

    /// <summary>The core that the calling thread is on, and its node.</summary>
    public static (int Cpu, int Node) Here()
    {
        uint cpu, node;
        if (SystemCall(SYS_getcpu, (nint)(&cpu), (nint)(&node), 0, 0, 0, 0) != 0)
            throw new Win32Exception();
        return ((int)cpu, (int)node);
    }

    /// <summary>Adds up how many pages of this memory are on which node; those that are not there are on none.</summary>
    public static void CountPages(byte* start, nuint size, Span<int> byNode)
    {
        int count = (int)size / PageSize;
        Span<nint> pages = new nint[count];
        for (int i = 0; i < count; i++)
            pages[i] = (nint)(start + i * PageSize);
        Span<int> status = new int[count];
        fixed (nint* page = pages)
        fixed (int* one = status)
        {
            // Without nodes to move them to, it tells where they are.
            if (SystemCall(SYS_move_pages, 0, count, (nint)page, 0, (nint)one, 0) != 0)
                throw new Win32Exception();
        }
        foreach (int node in status)
        {
            if (node >= 0)
                byNode[node]++;
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}
