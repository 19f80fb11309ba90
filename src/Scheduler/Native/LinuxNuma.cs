using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>Linux' calls about memory nodes and cores, for which the C library has no names everywhere. Where the kernel has no nodes
/// they fail, and the memory comes from where it comes from.</summary>
internal static unsafe partial class LinuxNuma
{
    private const int MPOL_PREFERRED = 1;
    private const int MaxNodes = 1024;

    // asm/unistd_64.h, and asm-generic/unistd.h for Arm64.
    private static readonly nint s_mbind = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 237 : 235;

    /// <summary>Asks for the memory of a node, for pages that have not been touched; mbind(2). When the node has none, another
    /// will do.</summary>
    public static void Prefer(byte* start, nuint size, int node)
    {
        const int WordBits = 64;
        if (node >= MaxNodes || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            return;
        ulong* mask = stackalloc ulong[MaxNodes / WordBits];
        new Span<ulong>(mask, MaxNodes / WordBits).Clear();
        mask[node / WordBits] = 1ul << (node % WordBits);
        // The kernel takes the number of bits to be one less than this says.
        _ = SystemCall(s_mbind, (nint)start, (nint)size, MPOL_PREFERRED, (nint)mask, MaxNodes + 1, 0);
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}
