using System.Buffers;
using System.Diagnostics;

namespace NetGo;

/// <summary>A network buffer: a fixed piece of native memory out of a <see cref="BufferPool"/>, which is given back by
/// <see cref="Return"/> or <c>Dispose</c>. Who has rented it owns it until then, and may hand it to another thread. It is the same object
/// that is rented again and again, so nothing is allocated. After the return its <see cref="Span"/> and <c>Memory</c> throw until it
/// is rented again; what had been taken from them before then shows another's bytes, which
/// <see cref="BufferPoolOptions.PoisonReturned"/> helps to find.</summary>
public sealed unsafe class NetBuffer : MemoryManager<byte>, IMemoryOwner<byte>
{
    private readonly byte* _start;
    private readonly int _length;
    private bool _isRented;

    internal NetBuffer(Slab slab, byte* start, int length)
    {
        Slab = slab;
        _start = start;
        _length = length;
    }

    /// <summary>In bytes: at least as many as were asked for.</summary>
    public int Length => _length;

    /// <summary>Its bytes.</summary>
    /// <exception cref="ObjectDisposedException">It has been returned.</exception>
    public Span<byte> Span
    {
        get
        {
            if (!_isRented)
                ThrowReturned();
            return new Span<byte>(_start, _length);
        }
    }

    /// <summary>Its first byte; it never moves.</summary>
    internal byte* Start => _start;

    internal Slab Slab { get; }

    /// <summary>The next on the free list of its slab. Guarded by the lock of the central list.</summary>
    internal NetBuffer? Next;

    /// <summary>Somebody has it. Written by him alone, as he gets it and gives it back.</summary>
    internal bool IsRented
    {
        get => _isRented;
        set => _isRented = value;
    }

    /// <summary>False when it has been given back already, be it at the same time.</summary>
    internal bool EndRent() => Interlocked.Exchange(ref _isRented, false);

    /// <summary>It has the pattern of a returned one.</summary>
    internal bool IsPoisoned;

    /// <summary>Gives it back to its pool. Any thread.</summary>
    /// <exception cref="InvalidOperationException">It has been returned already.</exception>
    public void Return() => Slab.Pool.Return(this);

    void IDisposable.Dispose() => Return();

    /// <inheritdoc cref="Span"/>
    public override Span<byte> GetSpan() => Span;

    /// <summary>Its address. There is nothing to pin.</summary>
    /// <param name="elementIndex">Of the byte whose address is wanted, 0 to <see cref="Length"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such byte.</exception>
    /// <exception cref="ObjectDisposedException">It has been returned.</exception>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        if (!_isRented)
            ThrowReturned();
        return new MemoryHandle(_start + elementIndex, pinnable: this);
    }

    /// <summary>Does nothing.</summary>
    public override void Unpin()
    {
    }

    /// <inheritdoc cref="Return"/>
    protected override void Dispose(bool disposing) => Return();

    [StackTraceHidden]
    private static void ThrowReturned() => throw new ObjectDisposedException(nameof(NetBuffer), "The buffer has been returned to its pool.");
}
