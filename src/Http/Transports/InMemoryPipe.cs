using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>One direction of a connection in memory: a ring of bytes that is full when its reader is slow. Any thread.</summary>
internal sealed class InMemoryPipe(int capacity)
{
    /// <summary>What a read or a write returns when the other end has been closed or aborted.</summary>
    public const int Reset = -1;

    private readonly Lock _lock = new();
    private byte[] _bytes = [];
    private int _start;
    private int _count;
    private bool _ended;
    private bool _broken;
    private long _taken;

    /// <summary>How many bytes have been read.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Whom to wake when there is something to read; null for nobody.</summary>
    public PollDesc? Reader { get; set; }

    /// <summary>Whom to wake when there is room; null for nobody.</summary>
    public PollDesc? Writer { get; set; }

    /// <summary>As <see cref="HttpTransport.TryRead"/>; into an empty buffer, 0 when a read would not wait.</summary>
    public int TryRead(Span<byte> to)
    {
        bool wasFull;
        int n;
        lock (_lock)
        {
            if (_broken)
                return Reset;
            if (_count == 0)
                return _ended ? 0 : SystemSockets.WouldBlock;
            wasFull = _count == capacity;
            n = Math.Min(to.Length, _count);
            int first = Math.Min(n, _bytes.Length - _start);
            _bytes.AsSpan(_start, first).CopyTo(to);
            _bytes.AsSpan(0, n - first).CopyTo(to[first..]);
            _count -= n;
            _taken += n;
            _start = _count == 0 ? 0 : (_start + n) % _bytes.Length;
        }
        if (wasFull && n > 0)
            Writer?.Signal(PollMode.Write);
        return n;
    }

    /// <summary>As <see cref="HttpTransport.TryWrite"/>.</summary>
    public int TryWrite(ReadOnlySpan<byte> from)
    {
        bool wasEmpty;
        int n;
        lock (_lock)
        {
            if (_broken || _ended)
                return Reset;
            n = Math.Min(from.Length, capacity - _count);
            if (n == 0)
                return from.IsEmpty ? 0 : SystemSockets.WouldBlock;
            if (_bytes.Length == 0)
                _bytes = new byte[capacity];
            wasEmpty = _count == 0;
            int end = (_start + _count) % _bytes.Length;
            int first = Math.Min(n, _bytes.Length - end);
            from[..first].CopyTo(_bytes.AsSpan(end));
            from[first..n].CopyTo(_bytes);
            _count += n;
        }
        if (wasEmpty)
            Reader?.Signal(PollMode.Read);
        return n;
    }

    /// <summary>Nothing more will be written. What has been is still read.</summary>
    public void End()
    {
        lock (_lock)
            _ended = true;
        Reader?.Signal(PollMode.Read);
        Reader?.PeerHasClosed();
    }

    /// <summary>Nothing will be read nor written any more; what has been written is lost.</summary>
    public void Break()
    {
        lock (_lock)
        {
            _broken = true;
            _bytes = [];
        }
        Reader?.Signal(PollMode.Read);
        Writer?.Signal(PollMode.Write);
    }
}
