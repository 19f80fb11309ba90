using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>The process's network buffers in three size classes: a cache per processor, then one shared list, then slabs of
/// native memory. Any thread may rent and return; a goroutine's do so without a lock.</summary>
internal static unsafe class BufferPool
{
    public const int ClassCount = 3;
    public const int SmallSize = 4 * 1024;
    public const int MediumSize = 16 * 1024;
    public const int LargeSize = 64 * 1024;

    private const int SlabSize = 2 * 1024 * 1024;
    private const int PageSize = 4 * 1024;

    private static readonly Lock s_lock = new();
    private static readonly NetBuffer?[] s_free = new NetBuffer?[ClassCount];
    private static byte* s_slab;
    private static int s_slabUsed = SlabSize;

    public static int SizeOfClass(int sizeClass) => SmallSize << (2 * sizeClass);

    /// <summary>How many a processor may keep: 256 KiB of each class, at least 4.</summary>
    public static int CachedPerProcessor(int sizeClass) => 64 >> (2 * sizeClass);

    /// <summary>A buffer of at least this many bytes. Its content is undefined.</summary>
    /// <param name="minimum">At most <see cref="LargeSize"/>.</param>
    public static NetBuffer Rent(int minimum)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minimum, LargeSize);
        int sizeClass = minimum <= SmallSize ? 0 : minimum <= MediumSize ? 1 : 2;
        NetBuffer? buffer = null;
        if (Machine.OfThisThread is { } machine)
        {
            buffer = machine.Pin(out int previous)?.Buffers.TryTake(sizeClass);
            machine.Unpin(previous);
        }
        buffer ??= RentShared(sizeClass);
        buffer.IsFree = false;
        return buffer;
    }

    /// <summary>Gives a buffer back.</summary>
    /// <exception cref="InvalidOperationException">It has been returned before.</exception>
    public static void Return(NetBuffer buffer)
    {
        if (buffer.IsFree)
            throw new InvalidOperationException("A buffer was returned twice.");
        buffer.IsFree = true;
        if (Machine.OfThisThread is { } machine)
        {
            bool cached = machine.Pin(out int previous)?.Buffers.TryPut(buffer) ?? false;
            machine.Unpin(previous);
            if (cached)
                return;
        }
        lock (s_lock)
        {
            buffer.Next = s_free[buffer.SizeClass];
            s_free[buffer.SizeClass] = buffer;
        }
    }

    private static NetBuffer RentShared(int sizeClass)
    {
        lock (s_lock)
        {
            if (s_free[sizeClass] is { } buffer)
            {
                s_free[sizeClass] = buffer.Next;
                buffer.Next = null;
                return buffer;
            }
            int size = SizeOfClass(sizeClass);
            if (SlabSize - s_slabUsed < size)
            {
                s_slab = (byte*)NativeMemory.AlignedAlloc(SlabSize, PageSize);
                s_slabUsed = 0;
            }
            byte* start = s_slab + s_slabUsed;
            s_slabUsed += size;
            return new NetBuffer(start, size, sizeClass);
        }
    }
}
