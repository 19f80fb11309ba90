namespace NetGo;

public sealed partial class BufferPool
{
    private long _formerLocalReturns;
    private long _formerRemoteReturns;

    /// <summary>What it has. The figures of a pool that is in use are of slightly different moments.</summary>
    public BufferPoolStatistics GetStatistics()
    {
        var classes = new BufferClassStatistics[_central.Length];
        long local;
        long remote;
        lock (_caches)
        {
            local = _formerLocalReturns;
            remote = _formerRemoteReturns;
            foreach (BufferCache cache in _caches)
            {
                local += Volatile.Read(ref cache.LocalReturns);
                remote += Volatile.Read(ref cache.RemoteReturns);
            }
            for (int i = 0; i < classes.Length; i++)
                classes[i] = StatisticsOf(i / ClassCount, i % ClassCount);
        }
        long released = 0;
        foreach (SlabHeap heap in _heaps)
            released += (long)heap.ReleasedCount * Slab.Size;
        return new BufferPoolStatistics(
            CommittedBytes, _maxBytes, Volatile.Read(ref _largeBytes), released, Volatile.Read(ref _waiting), local, remote, classes);
    }

    private BufferClassStatistics StatisticsOf(int node, int sizeClass)
    {
        long cached = 0;
        foreach (BufferCache cache in _caches)
            cached += node == ReserveNode ? 0 : cache.Count(node, sizeClass);
        (long total, long free, long idle) = Central(node, sizeClass).Count();
        return new BufferClassStatistics(
            node == ReserveNode ? -1 : Topology.SystemNode(node), SizeOfClass(sizeClass), Math.Max(0, total - free - cached), cached, free - idle, idle);
    }
}
