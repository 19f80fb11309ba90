namespace NetGo.Scheduler.Tests.Sync;

public class ChannelTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Unbuffered_send_completes_only_when_received(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        ValueTask send = channel.SendAsync(7);
        Assert.False(send.IsCompleted);
        Assert.Equal(0, channel.Count);
        Assert.Equal((7, true), await channel.ReceiveAsync());
        Assert.True(send.IsCompletedSuccessfully);
        await send;
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_value_is_handed_to_the_receiver_that_waits_longest(int processors) => On.Processors(processors, async () =>
    {
        Channel<string> channel = Channel.Make<string>(1);
        ValueTask<(string, bool)> first = channel.ReceiveAsync();
        ValueTask<(string, bool)> second = channel.ReceiveAsync();
        await channel.SendAsync("a");
        Assert.Equal(0, channel.Count);
        await channel.SendAsync("b");
        Assert.Equal(("b", true), await second);
        Assert.Equal(("a", true), await first);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Buffered_keeps_order_past_its_capacity(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(2);
        await channel.SendAsync(1);
        await channel.SendAsync(2);
        Assert.False(channel.TrySend(99));
        ValueTask third = channel.SendAsync(3);
        ValueTask fourth = channel.SendAsync(4);
        Assert.False(third.IsCompleted);
        Assert.Equal((1, true), await channel.ReceiveAsync());
        Assert.True(third.IsCompleted);
        Assert.False(fourth.IsCompleted);
        await third;
        for (int expected = 2; expected <= 4; expected++)
            Assert.Equal((expected, true), await channel.ReceiveAsync());
        await fourth;
        Assert.False(channel.TryReceive(out int _, out bool _));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Closed_drains_then_gives_default(int processors) => On.Processors(processors, async () =>
    {
        Channel<string> channel = Channel.Make<string>(2);
        await channel.SendAsync("left");
        channel.Close();
        Assert.Equal(("left", true), await channel.ReceiveAsync());
        Assert.Equal((null!, false), await channel.ReceiveAsync());
        Assert.True(channel.TryReceive(out string? value, out bool ok));
        Assert.Null(value);
        Assert.False(ok);
        Assert.False(channel.TryReceive(out _));
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await channel.SendAsync("x"));
        Assert.Throws<ChannelClosedException>(() => channel.TrySend("x"));
        Assert.Throws<ChannelClosedException>(channel.Close);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Close_ends_the_waits(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> receiving = Channel.Make<int>();
        Channel<int> sending = Channel.Make<int>();
        const int waiters = 300; // more than a run queue holds
        int ended = 0;
        int failed = 0;
        int parking = 0;
        var group = new WaitGroup();
        for (int i = 0; i < waiters; i++)
        {
            group.Go(async () =>
            {
                Interlocked.Increment(ref parking);
                if (await receiving.ReceiveAsync() == (0, false))
                    Interlocked.Increment(ref ended);
            });
            group.Go(async () =>
            {
                Interlocked.Increment(ref parking);
                try
                {
                    await sending.SendAsync(1);
                }
                catch (ChannelClosedException)
                {
                    Interlocked.Increment(ref failed);
                }
            });
        }
        await On.Until(() => Volatile.Read(ref parking) == 2 * waiters);
        receiving.Close();
        sending.Close();
        await group.WaitAsync();
        Assert.Equal((waiters, waiters), (ended, failed));
    });

    [Fact]
    public void Negative_capacity_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => Channel.Make<int>(-1));

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_second_await_throws(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        ValueTask<(int, bool)> receive = channel.ReceiveAsync();
        await channel.SendAsync(1);
        await receive;
        Assert.Throws<InvalidOperationException>(() => receive.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await receive);
        ValueTask<(int, bool)> pending = channel.ReceiveAsync();
        Task<(int, bool)> asTask = pending.AsTask();
        Assert.Throws<InvalidOperationException>(() => pending.GetAwaiter().OnCompleted(() => { }));
        await channel.SendAsync(2);
        Assert.Equal((2, true), await asTask);
    });

    [Fact]
    public async Task Threads_that_run_no_goroutine_can_use_it()
    {
        Channel<int> there = Channel.Make<int>();
        Channel<int> back = Channel.Make<int>();
        Task echo = Task.Run(async () =>
        {
            while (await there.ReceiveAsync() is (var value, true))
                await back.SendAsync(value + 1);
            back.Close();
        });
        await Go.RunAsync(async () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                await there.SendAsync(i);
                Assert.Equal((i + 1, true), await back.ReceiveAsync());
            }
            there.Close();
            Assert.Equal((0, false), await back.ReceiveAsync());
        }).WaitAsync(TimeSpan.FromSeconds(60));
        await echo.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(4, 0)]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(4, 3)]
    public Task Nothing_is_lost_or_doubled_under_stress(int processors, int capacity) => On.Processors(processors, async () =>
    {
        const int senders = 16;
        const int receivers = 12;
        const int each = 3000;
        Channel<int> channel = Channel.Make<int>(capacity);
        int[] seen = new int[senders * each];
        var sending = new WaitGroup();
        var receiving = new WaitGroup();
        for (int s = 0; s < senders; s++)
        {
            int from = s * each;
            sending.Go(async () =>
            {
                for (int i = 0; i < each; i++)
                {
                    if (i % 7 == 0)
                        await Go.YieldAsync();
                    await channel.SendAsync(from + i);
                }
            });
        }
        int disorder = 0;
        for (int r = 0; r < receivers; r++)
        {
            receiving.Go(async () =>
            {
                int[] last = new int[senders];
                Array.Fill(last, -1);
                while (await channel.ReceiveAsync() is (var value, true))
                {
                    Interlocked.Increment(ref seen[value]);
                    if (value <= last[value / each])
                        Interlocked.Increment(ref disorder);
                    last[value / each] = value;
                }
            });
        }
        await sending.WaitAsync();
        channel.Close();
        await receiving.WaitAsync();
        Assert.All(seen, count => Assert.Equal(1, count));
        Assert.Equal(0, disorder);
    });
}
