namespace NetGo.Scheduler.Tests.Sync;

public class ChannelCancellationTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_cancelled_token_ends_it_at_once_even_when_it_could_be_done(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(2);
        await channel.SendAsync(1);
        var cancelled = new CancellationToken(canceled: true);
        ValueTask send = channel.SendAsync(2, cancelled);
        ValueTask<(int, bool)> receive = channel.ReceiveAsync(cancelled);
        Assert.True(send.IsCanceled);
        Assert.True(receive.IsCanceled);
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await send);
        Assert.Equal(cancelled, e.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await receive);
        Assert.Equal(1, channel.Count);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_cancelled_receive_leaves_the_line(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        using var cancellation = new CancellationTokenSource();
        ValueTask<(int, bool)> first = channel.ReceiveAsync();
        ValueTask<(int, bool)> second = channel.ReceiveAsync(cancellation.Token);
        ValueTask<(int, bool)> third = channel.ReceiveAsync();
        Task parked = Fails(second, cancellation.Token);
        cancellation.Cancel();
        await parked;
        Assert.True(channel.TrySend(1));
        Assert.True(channel.TrySend(3));
        Assert.False(channel.TrySend(4));
        Assert.Equal((1, true), await first);
        Assert.Equal((3, true), await third);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_cancelled_send_takes_its_value_back(int processors) => On.Processors(processors, async () =>
    {
        Channel<string> channel = Channel.Make<string>();
        using var cancellation = new CancellationTokenSource();
        ValueTask first = channel.SendAsync("1", cancellation.Token);
        ValueTask second = channel.SendAsync("2");
        ValueTask third = channel.SendAsync("3", cancellation.Token);
        cancellation.Cancel();
        Assert.True(first.IsCanceled);
        Assert.True(third.IsCanceled);
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await first);
        Assert.Equal(cancellation.Token, e.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await third);
        Assert.Equal(("2", true), await channel.ReceiveAsync());
        Assert.False(channel.TryReceive(out _));
        await second;
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Whoever_leaves_the_line_the_others_keep_their_order(int leaving) => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        var tokens = new CancellationTokenSource[4];
        var waits = new ValueTask<(int, bool)>[4];
#pragma warning disable CA2012 // each is awaited once
        for (int i = 0; i < 4; i++)
            waits[i] = channel.ReceiveAsync((tokens[i] = new CancellationTokenSource()).Token);
#pragma warning restore CA2012
        await tokens[leaving].CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waits[leaving]);
        ValueTask<(int, bool)> last = channel.ReceiveAsync();
        for (int i = 0; i < 5; i++)
        {
            if (i == leaving)
                continue;
            Assert.True(channel.TrySend(i));
            Assert.Equal((i, true), await (i == 4 ? last : waits[i]));
        }
        Assert.False(channel.TrySend(9));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_value_handed_over_before_the_cancellation_is_received(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        using var cancellation = new CancellationTokenSource();
        ValueTask<(int, bool)> receive = channel.ReceiveAsync(cancellation.Token);
        Assert.True(channel.TrySend(7));
        cancellation.Cancel();
        Assert.Equal((7, true), await receive);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_token_cancelled_later_does_not_touch_the_next_wait(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        for (int i = 0; i < 100; i++)
        {
            using var old = new CancellationTokenSource();
            using var current = new CancellationTokenSource();
            ValueTask<(int, bool)> receive = channel.ReceiveAsync(old.Token);
            channel.TrySend(i);
            await receive;
            receive = channel.ReceiveAsync(current.Token);
            old.Cancel();
            Assert.False(receive.IsCompleted);
            channel.TrySend(i);
            Assert.Equal((i, true), await receive);
        }
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Close_ends_a_wait_that_could_be_cancelled(int processors) => On.Processors(processors, async () =>
    {
        using var cancellation = new CancellationTokenSource();
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        ValueTask<(int, bool)> receive = a.ReceiveAsync(cancellation.Token);
        ValueTask send = b.SendAsync(1, cancellation.Token);
        a.Close();
        b.Close();
        cancellation.Cancel();
        Assert.Equal((0, false), await receive);
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await send);
    });

    // Receives are cancelled from another thread while values arrive: each value is received once, whoever wins.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 2)]
    public Task Nothing_is_lost_or_doubled_when_cancellations_race(int processors, int capacity) => On.Processors(processors, async () =>
    {
        const int values = 20_000;
        Channel<int> channel = Channel.Make<int>(capacity);
        int[] seen = new int[values];
        var sending = new WaitGroup();
        var receiving = new WaitGroup();
        CancellationTokenSource current = new();
        bool done = false;
        Task canceller = Task.Factory.StartNew(() =>
        {
            while (!Volatile.Read(ref done))
                Interlocked.Exchange(ref current, new CancellationTokenSource()).Cancel();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        int next = -1;
        for (int s = 0; s < 4; s++)
        {
            sending.Go(async () =>
            {
                for (int value = Interlocked.Increment(ref next); value < values; value = Interlocked.Increment(ref next))
                {
                    while (!await TryTo(channel.SendAsync(value, Volatile.Read(ref current).Token)))
                    {
                    }
                }
            });
            receiving.Go(async () =>
            {
                while (true)
                {
                    try
                    {
                        (int value, bool ok) = await channel.ReceiveAsync(Volatile.Read(ref current).Token);
                        if (!ok)
                            return;
                        Interlocked.Increment(ref seen[value]);
                    }
                    catch (OperationCanceledException)
                    {
                    }
                }
            });
        }
        await sending.WaitAsync();
        channel.Close();
        await receiving.WaitAsync();
        Volatile.Write(ref done, true);
        await canceller;
        Assert.All(seen, count => Assert.Equal(1, count));
    });

    private static async Task<bool> TryTo(ValueTask send)
    {
        try
        {
            await send;
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task Fails(ValueTask<(int, bool)> receive, CancellationToken token)
    {
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await receive);
        Assert.Equal(token, e.CancellationToken);
    }
}
