using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Buffers;

public class BufferPoolTests
{
    private static BufferPool NewPool() => new(new BufferPoolOptions { ReleaseAfter = Timeout.InfiniteTimeSpan });

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 16384)]
    [InlineData(16384, 16384)]
    [InlineData(16385, 65536)]
    [InlineData(65536, 65536)]
    [InlineData(65537, 69632)]
    [InlineData(1_000_000, 1_003_520)]
    public void A_buffer_has_the_least_size_that_will_do(int minimum, int length)
    {
        using BufferPool pool = NewPool();
        NetBuffer buffer = pool.Rent(minimum);
        Assert.Equal(length, buffer.Length);
        Assert.Equal(length, buffer.Span.Length);
        Assert.Equal(length, buffer.Memory.Length);
        buffer.Span.Fill(7);
        Assert.Equal(7, buffer.Memory.Span[length - 1]);
        buffer.Return();
    }

    [Fact]
    public void What_is_no_length_is_refused()
    {
        using BufferPool pool = NewPool();
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.TryRent(int.MinValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.MemoryPool.Rent(-2));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public void A_returned_buffer_cannot_be_used_or_returned_again(int minimum)
    {
        using BufferPool pool = NewPool();
        NetBuffer buffer = pool.Rent(minimum);
        Memory<byte> memory = buffer.Memory;
        buffer.Return();
        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
        Assert.Throws<ObjectDisposedException>(() => memory.Pin());
        Assert.Throws<InvalidOperationException>(buffer.Return);
        Assert.Throws<InvalidOperationException>(((IDisposable)buffer).Dispose);
    }

    [Fact]
    public void A_buffer_goes_back_to_its_own_pool()
    {
        using BufferPool pool = NewPool();
        using BufferPool other = NewPool();
        NetBuffer buffer = pool.Rent(1);
        Assert.Throws<ArgumentException>(() => other.Return(buffer));
        pool.Return(buffer);
    }

    [Fact]
    public void Buffers_that_are_rented_together_do_not_overlap()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> buffers = [];
        for (int i = 0; i < 3000; i++)
        {
            NetBuffer buffer = pool.Rent(i % 3 == 0 ? 4096 : i % 3 == 1 ? 16384 : 65536);
            buffer.Span.Fill((byte)i);
            buffers.Add(buffer);
        }
        for (int i = 0; i < buffers.Count; i++)
        {
            Assert.Equal(-1, buffers[i].Span.IndexOfAnyExcept((byte)i));
            buffers[i].Return();
        }
        Assert.All(pool.GetStatistics().Classes, c => Assert.Equal(0, c.InUse));
    }

    [Fact]
    public void A_memory_pool_lends_the_buffers_themselves()
    {
        using BufferPool pool = NewPool();
        MemoryPool<byte> memory = pool.MemoryPool;
        Assert.Same(memory, pool.MemoryPool);
        Assert.True(memory.MaxBufferSize > 1 << 30);
        IMemoryOwner<byte> owner = memory.Rent();
        Assert.IsType<NetBuffer>(owner);
        Assert.Equal(4096, owner.Memory.Length);
        owner.Dispose();
        using (IMemoryOwner<byte> larger = memory.Rent(20_000))
            Assert.Equal(65536, larger.Memory.Length);
        memory.Dispose(); // does nothing
        memory.Rent(1).Dispose();
    }

    [Fact]
    public async Task A_pipe_can_have_its_memory_from_a_pool()
    {
        using BufferPool pool = NewPool();
        var pipe = new Pipe(new PipeOptions(pool.MemoryPool, minimumSegmentSize: 10_000));
        byte[] sent = new byte[300_000];
        new Random(1).NextBytes(sent);
        Task writing = Task.Run(async () =>
        {
            for (int at = 0; at < sent.Length; at += 7_000)
                await pipe.Writer.WriteAsync(sent.AsMemory(at, Math.Min(7_000, sent.Length - at)));
            await pipe.Writer.CompleteAsync();
        }, TestContext.Current.CancellationToken);
        var received = new MemoryStream();
        await pipe.Reader.CopyToAsync(received, TestContext.Current.CancellationToken).Within();
        await pipe.Reader.CompleteAsync();
        await writing.Within();
        Assert.Equal(sent, received.ToArray());
        Assert.All(pool.GetStatistics().Classes, static c => Assert.Equal(0, c.InUse));
    }

    [Fact]
    public unsafe void Memory_can_be_pinned_and_stays_where_it_is()
    {
        using BufferPool pool = NewPool();
        NetBuffer buffer = pool.Rent(1);
        using (MemoryHandle handle = buffer.Memory[10..].Pin())
        {
            ((byte*)handle.Pointer)[0] = 42;
            Assert.Equal(42, buffer.Span[10]);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Pin(4097));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Pin(-1));
        buffer.Return();
    }

    [Fact]
    public async Task Renting_and_returning_allocates_nothing()
    {
        using BufferPool pool = new(new BufferPoolOptions { PoisonReturned = false, TrackRented = false, ReleaseAfter = Timeout.InfiniteTimeSpan });
        using (var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool }))
        {
            long bytes = await scheduler.RunAsync(() => Task.FromResult(AllocatedBy(pool)));
            Assert.Equal(0, bytes);
        }
        Assert.Equal(0, AllocatedBy(pool)); // without a processor
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long AllocatedBy(BufferPool pool)
    {
        long before = 0;
        for (int i = 0; i < 2000; i++)
        {
            if (i == 1000)
                before = GC.GetAllocatedBytesForCurrentThread();
            NetBuffer buffer = pool.Rent(i * 30);
            using (pool.MemoryPool.Rent(i))
                buffer.Return();
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public async Task A_processor_keeps_what_is_returned_on_it()
    {
        using BufferPool pool = NewPool();
        using (var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool }))
        {
            Assert.Same(pool, scheduler.Buffers);
            await scheduler.RunAsync(async () =>
            {
                NetBuffer first = pool.Rent(1);
                first.Return();
                NetBuffer second = pool.Rent(1);
                Assert.Same(first, second);
                BufferClassStatistics small = pool.GetStatistics().Classes[0];
                Assert.Equal(1, small.InUse);
                Assert.True(small.Cached > 0);
                second.Return();
                await Go.YieldAsync();
            });
            Assert.Equal(2, pool.GetStatistics().LocalReturns);
        }
        Bounded.Until(() => pool.GetStatistics().Classes[0].Cached == 0, "the scheduler has gone, and given all back");
        BufferPoolStatistics after = pool.GetStatistics();
        Assert.Equal(2, after.LocalReturns);
        Assert.Equal(0, after.RemoteReturns);
    }

    [Fact]
    public async Task What_a_retired_processor_had_is_there_for_the_others()
    {
        using BufferPool pool = NewPool();
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 4, Buffers = pool });
        var all = new WaitGroup();
        for (int i = 0; i < 40; i++)
        {
            all.Add(1);
            scheduler.Spawn(async () =>
            {
                using (pool.MemoryPool.Rent())
                    await Go.YieldAsync();
                all.Done();
            });
        }
        await scheduler.RunAsync(async () => await all.WaitAsync()).Within();
        scheduler.MaxProcs = 1;
        await scheduler.RunAsync(() => Task.CompletedTask).Within();
        pool.ReleaseUnused();
        Bounded.Until(() => pool.GetStatistics().Classes.All(static c => c.Cached == 0), "the caches are empty");
    }

    [Fact]
    public void The_statistics_add_up()
    {
        using BufferPool pool = NewPool();
        NetBuffer small = pool.Rent(1);
        NetBuffer medium = pool.Rent(10_000);
        NetBuffer large = pool.Rent(100_000);
        BufferPoolStatistics s = pool.GetStatistics();
        Assert.Equal((2L << 21) + 102_400, s.CommittedBytes);
        Assert.Equal(102_400, s.LargeBytes);
        Assert.Equal(0, s.ReleasedBytes);
        Assert.Equal(new BufferClassStatistics(s.Classes[0].Node, 4096, 1, 0, 511, 0), s.Classes[0]);
        Assert.Equal(new BufferClassStatistics(s.Classes[1].Node, 16384, 1, 0, 127, 0), s.Classes[1]);
        Assert.Equal(new BufferClassStatistics(s.Classes[2].Node, 65536, 0, 0, 0, 0), s.Classes[2]);
        small.Return();
        medium.Return();
        large.Return();
        s = pool.GetStatistics();
        Assert.Equal(512, s.Classes[0].Idle);
        Assert.Equal(0, s.Classes[0].Free);
        Assert.Equal(0, s.LargeBytes);
        pool.ReleaseUnused();
        s = pool.GetStatistics();
        Assert.Equal(0, s.CommittedBytes);
        Assert.Equal(2L << 21, s.ReleasedBytes);
        Assert.All(s.Classes, static c => Assert.Equal(0, c.InUse + c.Cached + c.Free + c.Idle));
    }

    [Fact]
    public void A_pool_that_is_disposed_of_lends_nothing_and_takes_back_what_it_has_lent()
    {
        BufferPool pool = NewPool();
        NetBuffer buffer = pool.Rent(1);
        NetBuffer large = pool.Rent(100_000);
        pool.Rent(10_000).Return();
        pool.Dispose();
        Assert.Equal((1 << 21) + 102_400, pool.GetStatistics().CommittedBytes);
        Assert.Throws<ObjectDisposedException>(() => pool.Rent(1));
        buffer.Span.Clear();
        buffer.Return();
        large.Return();
        Assert.Equal(0, pool.GetStatistics().CommittedBytes);
        Assert.Equal(0, pool.GetStatistics().ReleasedBytes);
        pool.Dispose();
        Assert.Throws<InvalidOperationException>(BufferPool.Shared.Dispose);
    }

    [Theory]
    [InlineData("1024", 1L << 30)]
    [InlineData("1", 8L << 20)]
    [InlineData("3000000", 3_000_000L << 20)]
    public void The_limit_may_come_from_the_environment(string text, long bytes) => Assert.Equal(bytes, BufferPoolOptions.DefaultMaxBytes(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("much")]
    [InlineData("9000000000000")]
    public void Else_it_is_half_of_the_memory(string? text) =>
        Assert.Equal(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2, BufferPoolOptions.DefaultMaxBytes(text));

    [Fact]
    public async Task A_disposed_pool_lends_nothing_to_a_goroutine_that_has_just_returned_something()
    {
        var pool = new BufferPool(new BufferPoolOptions { ReleaseAfter = Timeout.InfiniteTimeSpan });
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        await scheduler.RunAsync(() =>
        {
            NetBuffer kept = pool.Rent(1);
            pool.Rent(1).Return();
            pool.Dispose();
            Assert.Throws<ObjectDisposedException>(() => pool.Rent(1));
            kept.Return();
            return Task.CompletedTask;
        }).Within();
        Bounded.Until(() => pool.GetStatistics().CommittedBytes == 0, "all is given back");
    }

    // Two that find nothing both make a slab, and one of these is used by neither.
    [Fact]
    public async Task A_slab_that_nobody_uses_is_idle_however_many_made_one()
    {
        for (int round = 0; round < 100; round++)
        {
            using var pool = new BufferPool(new BufferPoolOptions { ReleaseAfter = Timeout.InfiniteTimeSpan });
            using var start = new Barrier(2);
            Task<NetBuffer> Rent() => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return pool.Rent(1);
                },
                TaskCreationOptions.LongRunning);
            foreach (NetBuffer buffer in await Task.WhenAll(Rent(), Rent()))
                buffer.Return();
            pool.ReleaseUnused();
            Assert.Equal(0, pool.GetStatistics().CommittedBytes);
        }
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentNullException>(() => new BufferPool(null!));
        Refused(new BufferPoolOptions { MaxBytes = (8 << 20) - 1 });
        Refused(new BufferPoolOptions { ReservePercent = -1 });
        Refused(new BufferPoolOptions { ReservePercent = 76 });
        Refused(new BufferPoolOptions { ReleaseAfter = TimeSpan.FromMilliseconds(9) });
        Refused(new BufferPoolOptions { ReleaseAfter = TimeSpan.FromDays(25) });

        static void Refused(BufferPoolOptions options) => Assert.Throws<ArgumentOutOfRangeException>(() => new BufferPool(options));
    }

    [Fact]
    public void Large_pages_are_asked_for_where_there_are_any()
    {
        using BufferPool pool = new(new BufferPoolOptions { UseHugePages = true });
        using IMemoryOwner<byte> owner = pool.MemoryPool.Rent();
        owner.Memory.Span.Fill(1);
    }

    // The goroutine's processor has a cache of another pool.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Who_has_no_cache_rents_from_the_node_of_the_core_that_he_is_on(int core)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are bound on Linux only.");
        Assert.SkipUnless(NumaTopology.Current.Cpus.Contains(core), "There is no such core, or not for us.");
        using var pool = new BufferPool(new BufferPoolOptions(), Topologies.Read("two-nodes-one-core-each"));
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(() =>
        {
            Go.LockOSThread(); // and with it the thread ends
            Assert.True(LinuxThreads.TryBind([core]));
            Bounded.Until(() => Thread.GetCurrentProcessorId() == core, "it runs there, and .NET knows it");
            using NetBuffer buffer = pool.Rent(1);
            Assert.Equal(core, buffer.Slab.Node);
            return Task.CompletedTask;
        }).Within();
        Bounded.NoneLeft(scheduler);
    }
}
