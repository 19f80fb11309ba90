using System.Buffers;

namespace NetGo;

/// <summary>A <see cref="BufferPool"/> for those who want a <see cref="MemoryPool{T}"/>: pipes, ASP.NET Core. What it lends is a
/// <see cref="NetBuffer"/> itself, so nothing is allocated.</summary>
internal sealed class BufferMemoryPool(BufferPool pool) : MemoryPool<byte>
{
    public override int MaxBufferSize => int.MaxValue - (BufferPool.SmallSize - 1);

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        if (minBufferSize == -1)
            minBufferSize = BufferPool.SmallSize;
        ArgumentOutOfRangeException.ThrowIfNegative(minBufferSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, MaxBufferSize);
        return pool.Rent(minBufferSize);
    }

    // The buffers that are lent stay good, as with MemoryPool<byte>.Shared.
    protected override void Dispose(bool disposing)
    {
    }
}
