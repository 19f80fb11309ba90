namespace NetGo;

/// <summary>The slabs of a size class on a node, and with them the buffers that no processor has; Go's mcentral. Any thread, in
/// batches.</summary>
internal sealed class CentralList(BufferPool pool, SlabHeap heap, int sizeClass)
{
    private readonly Lock _lock = new();

    // A slab that is full is on neither. The one that was full last is first: it has the fewest free buffers, and taking these leaves
    // those alone that may become idle.
    private SlabList _partial;
    private SlabList _idle;
    private long _total;
    private long _free;
    private long _idleBuffers;

    /// <summary>Fills the front of <paramref name="batch"/>, and says how far: 0 when there is none, at the limit.</summary>
    public int Take(Span<NetBuffer?> batch)
    {
        int taken = TakeFree(batch);
        if (taken > 0 || heap.TryAllocate(sizeClass) is not { } slab)
            return taken;
        lock (_lock)
        {
            // Something is taken of it at once: one on the list of which nothing is away would never become idle.
            _total += slab.Total;
            _free += slab.Total;
            _partial.PushFront(slab);
            return TakeFreeLocked(batch);
        }
    }

    /// <summary>As <see cref="Take"/>, of what there is already.</summary>
    public int TakeFree(Span<NetBuffer?> batch)
    {
        lock (_lock)
            return TakeFreeLocked(batch);
    }

    private int TakeFreeLocked(Span<NetBuffer?> batch)
    {
        int taken = 0;
        while (taken < batch.Length && (_partial.First ?? TakeIdle()) is { } slab)
        {
            while (taken < batch.Length && slab.FreeCount > 0)
                batch[taken++] = slab.Take();
            if (slab.FreeCount == 0)
                _partial.Remove(slab);
        }
        _free -= taken;
        return taken;
    }

    private Slab? TakeIdle()
    {
        Slab? slab = _idle.First;
        if (slab is null)
            return null;
        _idle.Remove(slab);
        _idleBuffers -= slab.Total;
        _partial.PushFront(slab);
        return slab;
    }

    /// <summary>Takes buffers back.</summary>
    public void Put(ReadOnlySpan<NetBuffer?> batch)
    {
        bool isIdle = false;
        lock (_lock)
        {
            foreach (NetBuffer? buffer in batch)
            {
                Slab slab = buffer!.Slab;
                if (slab.FreeCount == 0)
                    _partial.PushFront(slab);
                slab.Put(buffer);
                if (slab.FreeCount == slab.Total)
                {
                    _partial.Remove(slab);
                    slab.IdleSince = Environment.TickCount64;
                    _idle.PushFront(slab);
                    _idleBuffers += slab.Total;
                    isIdle = true;
                }
            }
            _free += batch.Length;
        }
        pool.BuffersCameBack(heap.IsReserve ? BufferPool.NoClass : sizeClass, batch.Length);
        if (!isIdle)
            return;
        pool.MemoryCameBack();
        if (pool.IsDisposed)
            ReleaseIdle(long.MaxValue);
    }

    /// <summary>Gives the slabs back that have been idle since a time.</summary>
    /// <param name="since">In ms of <see cref="Environment.TickCount64"/>.</param>
    /// <returns>How many.</returns>
    public int ReleaseIdle(long since)
    {
        SlabList old = default;
        pool.BeginReleasing();
        lock (_lock)
        {
            for (Slab? slab = _idle.First; slab is not null;)
            {
                Slab? next = slab.Next;
                if (slab.IdleSince <= since)
                {
                    _idle.Remove(slab);
                    _idleBuffers -= slab.Total;
                    _free -= slab.Total;
                    _total -= slab.Total;
                    old.PushFront(slab);
                }
                slab = next;
            }
        }
        int released = old.Count;
        while (old.First is { } slab)
        {
            old.Remove(slab);
            heap.Release(slab);
        }
        pool.EndReleasing();
        if (released > 0)
            pool.MemoryCameBack();
        return released;
    }

    public bool HasIdle => Volatile.Read(ref _idleBuffers) > 0;

    /// <summary>How many buffers there are, how many of them are here, and how many of those in slabs that are wholly here.</summary>
    public (long Total, long Free, long Idle) Count()
    {
        lock (_lock)
            return (_total, _free, _idleBuffers);
    }
}
