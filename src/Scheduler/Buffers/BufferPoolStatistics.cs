namespace NetGo;

/// <summary>What a <see cref="BufferPool"/> has, at about one moment; Go's runtime.MemStats.</summary>
/// <param name="CommittedBytes">What it has from the system: never more than <paramref name="MaxBytes"/>.</param>
/// <param name="MaxBytes">Its limit, <see cref="BufferPoolOptions.MaxBytes"/>.</param>
/// <param name="LargeBytes">How much of that is in buffers larger than 64 KiB, which are all in use.</param>
/// <param name="ReleasedBytes">What it once had and has given back, with the addresses still its own.</param>
/// <param name="Waiting">How many wait in <see cref="BufferPool.RentAsync"/>.</param>
/// <param name="LocalReturns">How many buffers processors have taken back that are of their own node.</param>
/// <param name="RemoteReturns">How many have gone home to another node.</param>
/// <param name="Classes">By node and size, the reserve last.</param>
public sealed record BufferPoolStatistics(
    long CommittedBytes,
    long MaxBytes,
    long LargeBytes,
    long ReleasedBytes,
    int Waiting,
    long LocalReturns,
    long RemoteReturns,
    IReadOnlyList<BufferClassStatistics> Classes);

/// <summary>What a <see cref="BufferPool"/> has of a size on a node, in buffers.</summary>
/// <param name="Node">The system's number of the memory node; 0 where there are none, -1 for the reserve.</param>
/// <param name="Size">In bytes.</param>
/// <param name="InUse">Rented.</param>
/// <param name="Cached">In the caches of processors.</param>
/// <param name="Free">On the central list, in slabs of which others are away.</param>
/// <param name="Idle">On the central list, in slabs of which none is away: they are given back next.</param>
public readonly record struct BufferClassStatistics(int Node, int Size, long InUse, long Cached, long Free, long Idle);
