namespace NetGo.Connections;

/// <summary>Network buffers in the order of their bytes, of a reader or a writer. A field of theirs, not to be copied. Not thread-safe.</summary>
internal struct SegmentChain
{
    private BufferSegment? _spare; // its buffer is gone

    public BufferSegment? Head { get; private set; }

    public BufferSegment? Tail { get; private set; }

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
