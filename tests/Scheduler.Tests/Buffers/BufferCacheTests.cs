namespace NetGo.Scheduler.Tests.Buffers;

/// <summary>Two nodes with a core each, so that processor 0 is on node 0 and processor 1 on node 1.</summary>
public class BufferCacheTests
{
    private const int Small = 4096;

    private readonly BufferPool _pool = new(
        new BufferPoolOptions { ReleaseAfter = Timeout.InfiniteTimeSpan }, Topologies.Read("two-nodes-one-core-each"));

    private readonly BufferCache _near;
    private readonly BufferCache _far;

    public BufferCacheTests()
    {
        _near = _pool.CreateCache(0, () => { });
        _far = _pool.CreateCache(1, () => { });
    }

    [Fact]
    public void A_processor_has_the_buffers_of_its_node()
    {
        NetBuffer near = Rent(_near);
        NetBuffer far = Rent(_far);
        Assert.Equal(0, near.Slab.Node);
        Assert.Equal(1, far.Slab.Node);
        Assert.Equal(2, _pool.NodeCount);
    }

    [Fact]
    public void A_buffer_of_another_node_goes_home_in_batches()
    {
        int batch = BufferPool.CachedOfClass(0) / 2;
        List<NetBuffer> buffers = [.. Enumerable.Range(0, 3 * batch).Select(_ => Rent(_near))];
        long freeAtHome = Free(0);
        for (int i = 1; i <= buffers.Count; i++)
        {
            _far.Put(buffers[i - 1]);
            Assert.Equal(freeAtHome + i / batch * batch, Free(0));
        }
        Assert.Equal(3 * batch, _far.RemoteReturns);
        Assert.Equal(0, _far.LocalReturns);
        Assert.Null(_far.TryTake(0)); // none of them is for it
        Assert.Equal(0, Free(1));
    }

    [Fact]
    public void What_waits_to_go_home_is_counted_there_and_goes_when_the_cache_is_flushed()
    {
        NetBuffer buffer = Rent(_near);
        long before = Free(0);
        _far.Put(buffer);
        Assert.Equal(before, Free(0));
        Assert.Equal(1, _far.Count(node: 0, 0));
        Assert.Equal(0, _far.Count(node: 1, 0));
        _far.Flush();
        Assert.Equal(before + 1, Free(0));
        Assert.Equal(0, _far.Count(node: 0, 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_full_cache_gives_half_away_and_an_empty_one_gets_half(int sizeClass)
    {
        int capacity = BufferPool.CachedOfClass(sizeClass);
        List<NetBuffer> buffers = [];
        for (int i = 0; i < capacity + 1; i++)
        {
            buffers.Add(_near.TryTake(sizeClass) ?? _near.Refill(sizeClass)!);
            Assert.Equal(capacity / 2 - 1 - i % (capacity / 2), _near.Count(0, sizeClass));
        }
        _near.Flush();
        foreach (NetBuffer buffer in buffers)
            _near.Put(buffer);
        Assert.Equal(capacity / 2 + 1, _near.Count(0, sizeClass));
        Assert.Same(buffers[^1], _near.TryTake(sizeClass)); // the last in is the first out
        Assert.Equal(capacity + 1, _near.LocalReturns);
    }

    [Fact]
    public void A_flush_is_asked_for_only_where_there_is_something()
    {
        int woken = 0;
        BufferCache cache = _pool.CreateCache(0, () => woken++);
        Assert.False(cache.AskForFlush(evenIfEmpty: false));
        Assert.False(cache.FlushWanted);
        cache.Put(Rent(cache));
        Assert.True(cache.AskForFlush(evenIfEmpty: false));
        Assert.True(cache.FlushWanted);
        Assert.Equal(1, woken);
        cache.Flush();
        Assert.False(cache.FlushWanted);
        Assert.False(cache.AskForFlush(evenIfEmpty: false));
        Assert.Equal(1, woken);
        Assert.True(cache.AskForFlush(evenIfEmpty: true));
        Assert.Equal(2, woken);
    }

    [Fact]
    public void At_the_limit_another_nodes_free_buffers_are_lent()
    {
        var pool = new BufferPool(
            new BufferPoolOptions { MaxBytes = 8 << 20, ReservePercent = 0, ReleaseAfter = Timeout.InfiniteTimeSpan },
            Topologies.Read("two-nodes-one-core-each"));
        BufferCache far = pool.CreateCache(1, () => { });
        List<NetBuffer> all = [];
        for (int i = 0; i < (8 << 20) / Small; i++)
            all.Add(far.TryTake(0) ?? far.Refill(0)!);
        Assert.Null(far.Refill(0));
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(1));
        far.Put(all[0]);
        far.Flush();
        NetBuffer lent = pool.Rent(1);
        Assert.Equal(1, lent.Slab.Node);
    }

    private static NetBuffer Rent(BufferCache cache) => cache.TryTake(0) ?? cache.Refill(0)!;

    private long Free(int node) => _pool.Central(node, 0).Count().Free;
}
