using System.Buffers;
using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Buffers;

public class BufferMisuseTests
{
    private static BufferPool NewPool(bool poison = false, bool track = false) =>
        new(new BufferPoolOptions { PoisonReturned = poison, TrackRented = track, ReleaseAfter = Timeout.InfiniteTimeSpan });

    [Fact]
    public unsafe void A_returned_buffer_shows_a_pattern()
    {
        using BufferPool pool = NewPool(poison: true);
        NetBuffer buffer = pool.Rent(1);
        byte* start = buffer.Start;
        buffer.Span.Clear();
        buffer.Return();
        Assert.Equal(-1, new Span<byte>(start, buffer.Length).IndexOfAnyExcept((byte)0xDB));
        Assert.Same(buffer, pool.Rent(1));
        buffer.Return();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1234)]
    [InlineData(4095)]
    public void Who_writes_to_a_returned_buffer_is_found_out(int at)
    {
        BufferPool pool = NewPool(poison: true);
        NetBuffer buffer = pool.Rent(1);
        Span<byte> kept = buffer.Span;
        buffer.Return();
        kept[at] = 1;
        var e = Assert.Throws<InvalidOperationException>(() => pool.Rent(1));
        Assert.Contains($"at byte {at}", e.Message, StringComparison.Ordinal);
        Assert.NotSame(buffer, pool.Rent(1)); // it is not used any more
    }

    [Fact]
    public void A_slab_that_was_released_has_lost_the_pattern_and_that_is_no_misuse()
    {
        using BufferPool pool = NewPool(poison: true);
        for (int i = 0; i < 3; i++)
        {
            pool.Rent(1).Return();
            pool.ReleaseUnused();
        }
    }

    [Fact]
    public async Task Of_two_returns_at_the_same_time_one_is_refused()
    {
        using BufferPool pool = NewPool(track: true);
        for (int round = 0; round < 100; round++)
        {
            NetBuffer buffer = pool.Rent(1);
            using var start = new Barrier(2);
            bool[] refused = await Task.WhenAll(ReturnAsync(), ReturnAsync());
            Assert.Single(refused, true);

            Task<bool> ReturnAsync() => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    try
                    {
                        buffer.Return();
                        return false;
                    }
                    catch (InvalidOperationException)
                    {
                        return true;
                    }
                },
                TaskCreationOptions.LongRunning);
        }
    }

    [Fact]
    public void A_leak_report_says_where_a_buffer_was_rented()
    {
        using BufferPool pool = NewPool(track: true);
        NetBuffer returned = pool.Rent(1);
        NetBuffer leaked = Leak(pool);
        IMemoryOwner<byte> alsoLeaked = pool.MemoryPool.Rent(100_000);
        returned.Return();
        IReadOnlyList<RentedBuffer> rented = pool.GetRented();
        Assert.Equal([16384, 102_400], rented.Select(static r => r.Length).Order());
        RentedBuffer found = rented.Single(static r => r.Length == 16384);
        Assert.Contains(nameof(Leak), found.ToString(), StringComparison.Ordinal);
        Assert.Contains("BufferMisuseTests.cs", found.ToString(), StringComparison.Ordinal);
        leaked.Return();
        alsoLeaked.Dispose();
        Assert.Empty(pool.GetRented());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static NetBuffer Leak(BufferPool pool) => pool.Rent(5000);

    [Fact]
    public void Without_tracking_there_is_no_report()
    {
        using BufferPool pool = NewPool();
        Assert.Throws<InvalidOperationException>(() => pool.GetRented());
    }
}
