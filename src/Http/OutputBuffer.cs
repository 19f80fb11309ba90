using System.Buffers;
using NetGo.Netpoll;

namespace NetGo.Http;

// The bytes that wait to be sent on a connection. They lie in one piece: in a network buffer up to 64 KiB, beyond that in an
// array, so that a position stays good until the next flush.
//
// A handler appends; a flush sends. Both are one goroutine's business, but for one case: when a pipelined request's handler
// does not end at once, the connection sends the answers before it, while the handler may already run on elsewhere. That
// sending (SendAhead) touches only bytes before the handler's own (_ahead says where these begin, 0 once a flush has taken
// them along), and is kept from overlapping with a flush, or with the bytes being moved to a larger buffer, by _gate.
internal sealed class OutputBuffer
{
    private NetBuffer? _buffer;
    private byte[]? _array;
    private int _capacity;
    private int _start;
    private int _end;
    private int _gate;
    private int _ahead;

    /// <summary>Where its memory comes from.</summary>
    public BufferPool Buffers { get; set; } = BufferPool.Shared;

    /// <summary>Where the next byte goes: a position.</summary>
    public int End => _end;

    /// <summary>How many bytes the system has taken, of all that ever was here; and what is sent past the buffer is added.</summary>
    public long Sent { get; set; }

    public bool IsEmpty => _start == _end;

    /// <summary>How many bytes wait.</summary>
    public int Pending => _end - _start;

    public Span<byte> At(int position, int length) => All.Slice(position, length);

    private Span<byte> All => _array is { } array ? array : _buffer is { } buffer ? buffer.Span : default;

    /// <summary>Room for at least this many bytes at <see cref="End"/>; all that there is.</summary>
    public Span<byte> Free(int atLeast)
    {
        if (_capacity - _end < atLeast)
            Grow(atLeast);
        return All[_end..];
    }

    /// <inheritdoc cref="Free"/>
    public Memory<byte> FreeMemory(int atLeast)
    {
        if (_capacity - _end < atLeast)
            Grow(atLeast);
        return _array is { } array ? array.AsMemory(_end) : _buffer!.Memory[_end..];
    }

    public void Advance(int count)
    {
        if (count > _capacity - _end)
            throw new ArgumentOutOfRangeException(nameof(count), count, "More than the memory that was asked for has been written.");
        _end += count;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free(bytes.Length));
        _end += bytes.Length;
    }

    /// <summary>Forgets what lies at and after a position.</summary>
    public void Truncate(int position) => _end = position;

    private void Grow(int atLeast)
    {
        int needed = checked(_end + atLeast);
        Enter();
        try
        {
            if (needed <= BufferPool.LargeSize)
            {
                NetBuffer larger = Buffers.Rent(needed);
                All[.._end].CopyTo(larger.Span);
                ReturnMemory();
                _buffer = larger;
                _capacity = larger.Length;
            }
            else
            {
                byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, checked(_capacity * 2)));
                All[.._end].CopyTo(larger);
                ReturnMemory();
                _array = larger;
                _capacity = larger.Length;
            }
        }
        finally
        {
            Leave();
        }
    }

    private void ReturnMemory()
    {
        if (_buffer is { } buffer)
            buffer.Return();
        if (_array is { } array)
            ArrayPool<byte>.Shared.Return(array);
        _buffer = null;
        _array = null;
        _capacity = 0;
    }

    /// <summary>Throws all away, and gives the memory back.</summary>
    public void Clear()
    {
        Enter();
        _start = _end = _ahead = 0;
        ReturnMemory();
        Leave();
    }

    /// <summary>Sends what the system takes. 0 when all is sent, and the memory given back; else <see cref="SystemSockets.WouldBlock"/> or a negative error.</summary>
    public int TrySend(HttpTransport transport)
    {
        Enter();
        int error = SendUpTo(_end, transport);
        if (error == 0)
        {
            _start = _end = _ahead = 0;
            ReturnMemory();
        }
        Leave();
        return error;
    }

    /// <summary>A handler is about to begin: what waits now may be sent by <see cref="SendAhead"/>.</summary>
    public void MarkAhead() => _ahead = _end;

    /// <summary>Sends what waited at <see cref="MarkAhead"/>, as far as the system takes it and nobody else is sending.</summary>
    public void SendAhead(HttpTransport transport)
    {
        if (Interlocked.CompareExchange(ref _gate, 1, 0) != 0)
            return;
        _ = SendUpTo(_ahead, transport);
        Leave();
    }

    private int SendUpTo(int position, HttpTransport transport)
    {
        while (_start < position)
        {
            int n = transport.TryWrite(All[_start..position]);
            if (n < 0)
                return n;
            _start += n;
            Sent += n;
        }
        return 0;
    }

    private void Enter()
    {
        var spin = new SpinWait();
        while (Interlocked.CompareExchange(ref _gate, 1, 0) != 0)
            spin.SpinOnce();
    }

    private void Leave() => Volatile.Write(ref _gate, 0);
}
