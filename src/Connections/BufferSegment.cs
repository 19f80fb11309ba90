using System.Buffers;

namespace NetGo.Connections;

/// <summary>A network buffer as a part of what a reader has read, or a writer is to send: the bytes from <see cref="Start"/> to
/// <see cref="End"/>.</summary>
internal sealed class BufferSegment : ReadOnlySequenceSegment<byte>
{
    private NetBuffer? _buffer;
    private int _end;

    /// <summary>The first byte that still counts. A reader's <see cref="ReadOnlySequence{T}"/> and its positions count from the buffer's
    /// beginning nevertheless.</summary>
    public int Start { get; set; }

    /// <summary>Behind the last byte.</summary>
    public int End
    {
        get => _end;
        set
        {
            _end = value;
            Memory = _buffer!.Memory[..value];
        }
    }

    public int Length => _end - Start;

    public BufferSegment? NextSegment => (BufferSegment?)Next;

    public NetBuffer Buffer => _buffer!;

    public Memory<byte> Free => _buffer!.Memory[_end..];

    public int FreeLength => _buffer!.Length - _end;

    public void SetBuffer(NetBuffer buffer)
    {
        _buffer = buffer;
        Start = 0;
        _end = 0;
        Memory = default;
    }

    public void Append(BufferSegment next)
    {
        next.RunningIndex = RunningIndex + _end;
        Next = next;
    }

    /// <summary>As new, and with nothing in its buffer.</summary>
    public void Clear()
    {
        Start = 0;
        _end = 0;
        Memory = default;
        RunningIndex = 0;
        Next = null;
    }

    /// <summary>Gives the buffer back.</summary>
    public void Release()
    {
        NetBuffer buffer = _buffer!;
        _buffer = null;
        Clear();
        buffer.Return();
    }
}
