namespace NetGo;

/// <summary>How a <see cref="BufferPool"/> is made.</summary>
public sealed class BufferPoolOptions
{
    /// <summary>How much memory it may have from the system, in bytes, whether its buffers are in use or not. Where it has that much,
    /// <see cref="BufferPool.RentAsync"/> waits. At least 8 MiB; the default is half of the memory that the process may use
    /// (a container's limit is respected), or the environment variable <c>NETGO_BUFFERS_MAX</c>, in MiB.</summary>
    public long MaxBytes { get; set; } = DefaultMaxBytes(Environment.GetEnvironmentVariable("NETGO_BUFFERS_MAX"));

    /// <summary>The part of <see cref="MaxBytes"/>, in per cent, that <see cref="BufferPool.TryRent"/> and
    /// <see cref="BufferPool.RentAsync"/> leave alone: what has been read can still be answered. 0 to 75; the default
    /// is 25.</summary>
    public int ReservePercent { get; set; } = 25;

    /// <summary>How long memory stays unused before it is given back to the system, which takes up to as long again. At least
    /// 10 ms, or <see cref="Timeout.InfiniteTimeSpan"/>; the default is 5 seconds.</summary>
    public TimeSpan ReleaseAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the garbage collector is asked to give memory back too, when nothing has been rented for a while and the process
    /// has allocated 4 MiB or more since it was asked last: the connections of a burst are garbage, and without work there is no
    /// collection. It is a blocking one (<see cref="GCCollectionMode.Aggressive"/>), which takes the longer the larger the heap is. The
    /// default is false, or true where the environment variable <c>NETGO_BUFFERS_COLLECT</c> is 1.</summary>
    public bool CollectAfterBurst { get; set; } = Environment.GetEnvironmentVariable("NETGO_BUFFERS_COLLECT") == "1";

    /// <summary>Whether the system is asked for large pages (madvise(2), MADV_HUGEPAGE). The first touch of a slab then makes all of
    /// its 2 MiB present. Linux only; the default is false.</summary>
    public bool UseHugePages { get; set; }

    /// <summary>Whether buffers that are returned are filled with a pattern, and looked at when they are rented again: who has written
    /// to one meanwhile is found out. It costs what filling them costs. The default is false, and true in a debug
    /// build of this library.</summary>
    public bool PoisonReturned { get; set; }
#if DEBUG
        = true;
#endif

    /// <summary>Whether each rented buffer's place of renting is kept, for <see cref="BufferPool.GetRented"/>. It costs a stack trace for each rent.
    /// The default is false, or true where the environment variable <c>NETGO_BUFFERS_TRACK</c> is 1.</summary>
    public bool TrackRented { get; set; } = Environment.GetEnvironmentVariable("NETGO_BUFFERS_TRACK") == "1";

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBytes, 4L * Slab.Size, nameof(MaxBytes));
        ArgumentOutOfRangeException.ThrowIfNegative(ReservePercent, nameof(ReservePercent));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ReservePercent, 75, nameof(ReservePercent));
        if (ReleaseAfter != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(ReleaseAfter, TimeSpan.FromMilliseconds(10), nameof(ReleaseAfter));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(ReleaseAfter, TimeSpan.FromDays(24), nameof(ReleaseAfter));
        }
    }

    /// <summary>In bytes, by the text of the environment variable.</summary>
    internal static long DefaultMaxBytes(string? text)
    {
        const long MiB = 1024 * 1024;
        long bytes = long.TryParse(text, out long n) && n is > 0 and < 1L << 40
            ? n * MiB
            : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;
        return Math.Max(bytes, 4L * Slab.Size);
    }
}
