namespace NetGo;

/// <summary>The slabs of a node that have no pages; Go's mheap. What it gives out counts against the pool's limit. Addresses that it has
/// are never given back: the pool has as many as it once needed.</summary>
/// <param name="pool">Whose it is.</param>
/// <param name="node">The pool's number of the node.</param>
/// <param name="systemNode">The system's; -1 for memory of any.</param>
/// <param name="isReserve">It may go up to the pool's limit, and not just up to the reserve.</param>
internal sealed unsafe class SlabHeap(BufferPool pool, int node, int systemNode, bool isReserve)
{
    private readonly Lock _lock = new();
    private SlabList _released;

    public bool IsReserve => isReserve;

    public int ReleasedCount
    {
        get
        {
            lock (_lock)
                return _released.Count;
        }
    }

    /// <summary>A slab that is cut into buffers of a class, all free. Null at the limit, and when the system has no memory.</summary>
    public Slab? TryAllocate(int sizeClass)
    {
        if (!pool.TryCommit(Slab.Size, isReserve))
            return null;
        Slab? slab = TakeReleased() ?? Map();
        if (slab is null)
            pool.Uncommit(Slab.Size);
        else
            slab.Cut(sizeClass);
        return slab;
    }

    private Slab? TakeReleased()
    {
        lock (_lock)
        {
            Slab? slab = _released.First;
            if (slab is not null)
                _released.Remove(slab);
            return slab;
        }
    }

    private Slab? Map()
    {
        byte* start = PageMemory.TryMap(Slab.Size, Slab.Size, systemNode, pool.UsesHugePages);
        return start is null ? null : new Slab(pool, node, start, Slab.Size);
    }

    /// <summary>Takes one that nobody uses, and gives its pages back to the system.</summary>
    public void Release(Slab slab)
    {
        PageMemory.Discard(slab.Start, slab.ByteCount);
        lock (_lock)
            _released.PushFront(slab);
        if (pool.IsDisposed)
            Unmap();
        pool.Uncommit(Slab.Size);
    }

    /// <summary>Gives the addresses of those that have no pages back too.</summary>
    public void Unmap()
    {
        while (TakeReleased() is { } slab)
            PageMemory.Unmap(slab.Start, slab.ByteCount);
    }
}
