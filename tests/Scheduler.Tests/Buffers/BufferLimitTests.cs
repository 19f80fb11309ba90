namespace NetGo.Scheduler.Tests.Buffers;

/// <summary>A pool of 8 MiB, which is 128 buffers of 64 KiB; half of it is a reserve.</summary>
public class BufferLimitTests
{
    private const int Large = 64 * 1024;
    private const int MaxBytes = 8 << 20;

    private static BufferPool NewPool() =>
        new(new BufferPoolOptions { MaxBytes = MaxBytes, ReservePercent = 50, ReleaseAfter = Timeout.InfiniteTimeSpan });

    private static List<NetBuffer> RentAll(Func<NetBuffer?> rent)
    {
        List<NetBuffer> all = [];
        while (rent() is { } buffer)
            all.Add(buffer);
        return all;
    }

    [Fact]
    public void What_can_wait_leaves_the_reserve_to_what_cannot()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> reading = RentAll(() => pool.TryRent(Large));
        Assert.Equal(64, reading.Count);
        Assert.Null(pool.TryRent(1));
        Assert.Null(pool.TryRent(1_000_000));
        List<NetBuffer> all = [.. reading, .. Enumerable.Range(0, 64).Select(_ => pool.Rent(Large))];
        Assert.Equal(MaxBytes, pool.GetStatistics().CommittedBytes);
        Assert.Contains("8388608", Assert.Throws<InsufficientMemoryException>(() => pool.Rent(1)).Message, StringComparison.Ordinal);
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(1_000_000));
        all[0].Return();
        pool.Rent(Large).Return();
        all.Skip(1).ToList().ForEach(static b => b.Return());
    }

    [Fact]
    public void What_is_free_of_the_reserve_stays_the_reserve()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> reading = RentAll(() => pool.TryRent(Large));
        pool.Rent(Large).Return();
        NetBuffer held = pool.Rent(Large); // of a slab with 31 others
        Assert.Null(pool.TryRent(Large));
        Assert.Equal(new BufferClassStatistics(-1, Large, 1, 0, 31, 0), pool.GetStatistics().Classes[^1]);
        reading[0].Return();
        pool.TryRent(Large)!.Return();
        reading.Skip(1).Append(held).ToList().ForEach(static b => b.Return());
        pool.ReleaseUnused();
        Assert.Equal(0, pool.GetStatistics().CommittedBytes);
    }

    [Fact]
    public async Task A_buffer_of_the_reserve_that_a_goroutine_returns_goes_back_to_it()
    {
        using BufferPool pool = NewPool();
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        await scheduler.RunAsync(() =>
        {
            List<NetBuffer> reading = RentAll(() => pool.TryRent(Large));
            NetBuffer held = pool.Rent(Large);
            held.Return();
            Assert.Null(pool.TryRent(Large));
            reading.ForEach(static b => b.Return());
            return Task.CompletedTask;
        });
    }

    [Fact]
    public void A_large_buffer_counts_and_one_that_is_too_large_is_refused()
    {
        using BufferPool pool = NewPool();
        NetBuffer buffer = pool.Rent(MaxBytes);
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(1));
        buffer.Return();
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(MaxBytes + 1));
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(int.MaxValue));
        Assert.Null(pool.TryRent(MaxBytes));
        pool.TryRent(MaxBytes / 2)!.Return();
    }

    [Fact]
    public void At_the_limit_idle_slabs_of_one_size_make_room_for_another()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> small = [.. Enumerable.Range(0, MaxBytes / 4096).Select(_ => pool.Rent(1))];
        Assert.Throws<InsufficientMemoryException>(() => pool.Rent(Large));
        small.ForEach(static b => b.Return());
        List<NetBuffer> large = [.. Enumerable.Range(0, MaxBytes / Large).Select(_ => pool.Rent(Large))];
        large.ForEach(static b => b.Return());
    }

    [Fact]
    public async Task Who_waits_gets_what_another_returns()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> all = RentAll(() => pool.TryRent(Large));
        Task<NetBuffer> waiting = pool.RentAsync(Large).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, pool.GetStatistics().Waiting);
        all[5].Return();
        Assert.Same(all[5], await waiting.Within());
        Assert.Equal(0, pool.GetStatistics().Waiting);
        all.ForEach(static b => b.Return());
    }

    [Fact]
    public async Task A_returned_buffer_wakes_one_that_waits_for_its_size()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> small = [.. Enumerable.Range(0, 512).Select(_ => pool.Rent(1))];
        List<NetBuffer> large = RentAll(() => pool.TryRent(Large));
        Task<NetBuffer> waitsForLarge = pool.RentAsync(Large).AsTask();
        Task<NetBuffer> waitsForSmall = pool.RentAsync(1).AsTask();
        small[0].Return();
        small[0] = await waitsForSmall.Within();
        Assert.False(waitsForLarge.IsCompleted);
        large[0].Return();
        large[0] = await waitsForLarge.Within();
        small.ForEach(static b => b.Return());
        large.ForEach(static b => b.Return());
    }

    [Fact]
    public async Task A_slab_that_becomes_idle_wakes_whoever_waits_for_another_size()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> small = [.. Enumerable.Range(0, 512).Select(_ => pool.Rent(1))];
        List<NetBuffer> large = RentAll(() => pool.TryRent(Large));
        Task<NetBuffer>[] waiting = [.. Enumerable.Range(0, 32).Select(_ => pool.RentAsync(Large).AsTask())];
        small.ForEach(static b => b.Return());
        large.AddRange(await Task.WhenAll(waiting).Within());
        large.ForEach(static b => b.Return());
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> all = RentAll(() => pool.TryRent(Large));
        using var cancellation = new CancellationTokenSource();
        Task<NetBuffer> cancelled = pool.RentAsync(Large, cancellation.Token).AsTask();
        Task<NetBuffer> waiting = pool.RentAsync(Large).AsTask();
        await cancellation.CancelAsync();
        var e = await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.Within());
        Assert.Equal(cancellation.Token, e.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.RentAsync(1, cancellation.Token).AsTask());
        all[0].Return();
        all[0] = await waiting.Within();
        all.ForEach(static b => b.Return());
    }

    [Fact]
    public async Task What_the_pool_can_never_have_is_not_waited_for()
    {
        using BufferPool pool = NewPool();
        await Assert.ThrowsAsync<InsufficientMemoryException>(() => pool.RentAsync(MaxBytes / 2 + 1).AsTask().Within());
        (await pool.RentAsync(MaxBytes / 2)).Return();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.RentAsync(-1).AsTask());
    }

    [Fact]
    public async Task It_is_asked_in_whole_pages_whether_the_pool_can_have_it()
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = MaxBytes + 2, ReservePercent = 50 });
        await Assert.ThrowsAsync<InsufficientMemoryException>(() => pool.RentAsync(MaxBytes / 2 + 1).AsTask().Within());
    }

    [Fact]
    public async Task Who_waits_ends_with_the_pool()
    {
        BufferPool pool = NewPool();
        List<NetBuffer> all = RentAll(() => pool.TryRent(Large));
        Task<NetBuffer>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => pool.RentAsync(Large).AsTask())];
        pool.Dispose();
        foreach (Task<NetBuffer> one in waiting)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => one.Within());
        Assert.Equal(0, pool.GetStatistics().Waiting);
        all.ForEach(static b => b.Return());
        Assert.Equal(0, pool.GetStatistics().CommittedBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Processors_give_up_what_they_keep_when_somebody_waits(int processors)
    {
        using BufferPool pool = NewPool();
        using (var scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = processors, Buffers = pool }))
        {
            List<NetBuffer> all = [];
            await scheduler.RunAsync(() =>
            {
                all = RentAll(() => pool.TryRent(Large));
                for (int i = 0; i < 4; i++)
                    all[i].Return(); // they stay with the processor, which goes to sleep
                return Task.CompletedTask;
            }).Within();
            NetBuffer[] got = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => pool.RentAsync(Large).AsTask())).Within();
            Assert.Equal(all.Take(4).ToHashSet(), [.. got]);
            all.ForEach(static b => b.Return());
        }
    }

    [Theory]
    [InlineData(1, 200)]
    [InlineData(2, 1000)]
    public async Task Many_that_need_more_than_there_is_all_get_it_in_turn(int processors, int goroutines)
    {
        using BufferPool pool = NewPool();
        using (var scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = processors, Buffers = pool }))
        {
            var all = new WaitGroup();
            all.Add(goroutines);
            for (int i = 0; i < goroutines; i++)
            {
                int seed = i;
                scheduler.Spawn(async () =>
                {
                    var random = new Random(seed);
                    for (int round = 0; round < 20; round++)
                    {
                        NetBuffer buffer = await pool.RentAsync(random.Next(3) switch { 0 => 1, 1 => 10_000, _ => Large });
                        buffer.Span[0] = (byte)seed;
                        await Go.YieldAsync();
                        Assert.Equal((byte)seed, buffer.Span[0]);
                        buffer.Return();
                    }
                    all.Done();
                });
            }
            await scheduler.RunAsync(async () => await all.WaitAsync()).WaitAsync(Bounded.StressLimit);
            Assert.Equal(0, pool.GetStatistics().Waiting);
            Assert.True(pool.GetStatistics().CommittedBytes <= MaxBytes / 2);
            Bounded.NoneLeft(scheduler);
        }
        Assert.All(pool.GetStatistics().Classes, static c => Assert.Equal(0, c.InUse));
    }
}
