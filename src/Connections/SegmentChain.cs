namespace NetGo.Connections;

/// <summary>Network buffers in the order of their bytes, of a reader or a writer. A field of theirs, not to be copied. Not thread-safe.</summary>
internal struct SegmentChain
{
    private BufferSegment? _spare; // its buffer is gone

    public BufferSegment? Head { get; private set; }

    public BufferSegment? Tail { get; private set; }

    /// <summary>Of all that is in it, in bytes.</summary>
    public readonly long Length
    {
        get
        {
            long length = 0;
            for (BufferSegment? segment = Head; segment is not null; segment = segment.NextSegment)
                length += segment.Length;
            return length;
        }
    }

    /// <summary>Adds an empty buffer at the end.</summary>
    /// <param name="pool">Whose.</param>
    /// <param name="size">At least, in bytes.</param>
    /// <exception cref="InsufficientMemoryException">There is no memory for it; the chain is as it was.</exception>
    public BufferSegment Append(BufferPool pool, int size)
    {
        BufferSegment segment = _spare ?? new BufferSegment();
        segment.SetBuffer(pool.Rent(size));
        _spare = null; // only now: there may have been no memory
        if (Tail is null)
            Head = segment;
        else
            Tail.Append(segment);
        return Tail = segment;
    }

    /// <summary>Adds what another has, which is empty afterwards. Little is copied behind what there is: it goes to the system in one piece then.
    /// </summary>
    public void AppendAll(ref SegmentChain other)
    {
        if (other.Head is { } first)
        {
            if (Tail is not { } tail)
            {
                Head = first;
                Tail = other.Tail;
                other.Head = other.Tail = null;
            }
            else if (first == other.Tail && first.Length <= tail.FreeLength)
            {
                first.Buffer.Span[first.Start..first.End].CopyTo(tail.Buffer.Span[tail.End..]);
                tail.End += first.Length;
                other.DropHead();
            }
            else
            {
                tail.Append(first);
                Tail = other.Tail;
                other.Head = other.Tail = null;
            }
        }
        other._spare ??= _spare;
        if (other._spare == _spare)
            _spare = null;
    }

    /// <summary>Gives the first buffer back. There is one.</summary>
    public void DropHead()
    {
        BufferSegment head = Head!;
        Head = head.NextSegment;
        if (Head is null)
            Tail = null;
        head.Release();
        _spare = head;
    }

    /// <summary>Gives all buffers back.</summary>
    public void Release()
    {
        while (Head is not null)
            DropHead();
    }
}
