using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Buffers;

public class BufferScavengerTests
{
    private static BufferPool NewPool() => new(new BufferPoolOptions { ReleaseAfter = TimeSpan.FromMilliseconds(20) });

    [Fact]
    public void What_is_not_used_goes_back_to_the_system_and_can_be_used_again()
    {
        using BufferPool pool = NewPool();
        for (int round = 0; round < 3; round++)
        {
            List<NetBuffer> all = [.. Enumerable.Range(0, 600).Select(_ => pool.Rent(10_000))];
            Assert.Equal(5L << 21, pool.GetStatistics().CommittedBytes);
            foreach (NetBuffer buffer in all)
            {
                buffer.Span.Fill(1);
                buffer.Return();
            }
            Bounded.Until(() => pool.GetStatistics() is { CommittedBytes: 0, ReleasedBytes: 5L << 21 }, "all slabs are released");
        }
    }

    [Fact]
    public void A_slab_with_a_buffer_in_use_stays()
    {
        using BufferPool pool = NewPool();
        List<NetBuffer> all = [.. Enumerable.Range(0, 512 * 3).Select(_ => pool.Rent(1))];
        NetBuffer kept = all[700];
        kept.Span.Fill(42);
        all.Where(b => b != kept).ToList().ForEach(static b => b.Return());
        Bounded.Until(() => pool.GetStatistics().CommittedBytes == 1L << 21, "the other slabs are released");
        Assert.Equal(-1, kept.Span.IndexOfAnyExcept((byte)42));
        kept.Return();
        Bounded.Until(() => pool.GetStatistics().CommittedBytes == 0, "the last slab is released");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_a_processor_keeps_goes_back_while_it_sleeps(int processors)
    {
        using BufferPool pool = NewPool();
        using var scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = processors, Buffers = pool });
        for (int round = 0; round < 5; round++)
        {
            await scheduler.RunAsync(async () =>
            {
                for (int i = 0; i < 100; i++)
                {
                    Go.Spawn(async () =>
                    {
                        NetBuffer buffer = pool.Rent(i * 700);
                        await Go.YieldAsync();
                        buffer.Return();
                    });
                }
                await Go.YieldAsync();
            }).Within();
            Bounded.Until(() => pool.GetStatistics().CommittedBytes == 0, "all is released");
        }
    }

    [Fact]
    public async Task What_a_processor_keeps_goes_back_while_it_is_busy_with_other_things()
    {
        using BufferPool pool = NewPool();
        using var scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        await scheduler.RunAsync(async () =>
        {
            pool.Rent(1).Return();
            long start = Environment.TickCount64;
            while (pool.GetStatistics().CommittedBytes != 0)
            {
                Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds);
                await Go.YieldAsync();
            }
        }).Within();
    }

    [Fact]
    public void The_garbage_of_a_burst_is_collected_where_that_is_asked_for()
    {
        using var pool = new BufferPool(new BufferPoolOptions { ReleaseAfter = TimeSpan.FromMilliseconds(20), CollectAfterBurst = true });
        WeakReference garbage = MakeOld();
        for (int i = 0; i < 50; i++)
            MakeOld();
        pool.Rent(1).Return();
        Bounded.Until(() => !garbage.IsAlive, "the garbage is collected");

        // Of the oldest generation, so that only a full collection finds it.
        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference MakeOld() => new(new byte[100_000]);
    }

    [Fact]
    public unsafe void Released_pages_are_gone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the system takes them when it needs them.");
        using var pool = new BufferPool(new BufferPoolOptions { ReleaseAfter = Timeout.InfiniteTimeSpan, PoisonReturned = false });
        NetBuffer buffer = pool.Rent(1);
        byte* start = buffer.Start;
        *start = 42;
        buffer.Return();
        Assert.Equal(42, *start);
        pool.ReleaseUnused();
        Assert.Equal(0, *start);
    }
}
