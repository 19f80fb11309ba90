namespace Placement;

/// <summary>A buffer that was rented, and where.</summary>
/// <param name="Buffer">All of its pages have been touched.</param>
/// <param name="Processor">Of the goroutine that rented it.</param>
/// <param name="Cpu">The core that its thread was on.</param>
/// <param name="Node">The system's number of that core's node.</param>
internal readonly record struct Rental(NetBuffer Buffer, int Processor, int Cpu, int Node)
{
    /// <summary>All of its pages are on the node that it was rented on.</summary>
    public unsafe bool IsLocal(int nodes)
    {
        var pages = new int[nodes];
        LinuxPlacement.CountPages(Buffer.Start, (nuint)Buffer.Length, pages);
        return pages[Node] * 4096 == Buffer.Length;
    }
}
