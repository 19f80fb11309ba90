using System.Buffers;

namespace NetGo;

/// <summary>A network buffer: a fixed piece of native memory from <see cref="BufferPool"/>, with a link for the lists that it
/// is kept on. Not thread-safe; whoever rented it owns it until <see cref="BufferPool.Return"/>.</summary>
internal sealed unsafe class NetBuffer : MemoryManager<byte>
{
    private readonly byte* _start;

    internal NetBuffer(byte* start, int length, int sizeClass)
    {
        _start = start;
        Length = length;
        SizeClass = sizeClass;
    }

    /// <summary>In bytes.</summary>
    public int Length { get; }

    public int SizeClass { get; }

    public byte* Start => _start;

    public Span<byte> Span => new(_start, Length);

    internal NetBuffer? Next;

    /// <summary>Set while nobody rents it, to catch a second return.</summary>
    internal bool IsFree;

    public override Span<byte> GetSpan() => Span;

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
