namespace NetGo.Scheduler.Tests.Sync;

public class ChannelEnumerationTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Gives_all_values_in_order_until_closed_and_empty(int processors) => On.Processors(processors, async () =>
    {
        foreach (int capacity in (int[])[0, 3])
        {
            Channel<int> channel = Channel.Make<int>(capacity);
            Go.Spawn(async () =>
            {
                for (int i = 0; i < 1000; i++)
                    await channel.SendAsync(i);
                channel.Close();
            });
            var seen = new List<int>();
            await foreach (int value in channel.ReceiveAllAsync())
                seen.Add(value);
            Assert.Equal(Enumerable.Range(0, 1000), seen);
        }
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_channel_and_its_receiving_side_can_be_looped_over(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(4);
        ReceiveChannel<int> side = channel;
        for (int i = 1; i <= 4; i++)
            await channel.SendAsync(i);
        int sum = 0;
        await foreach (int value in channel)
        {
            sum += value;
            if (value == 2)
                break; // the rest stays
        }
        channel.Close();
        await foreach (int value in side)
            sum += value * 10;
        Assert.Equal(1 + 2 + 30 + 40, sum);
        await foreach (int _ in side.ReceiveAllAsync())
            Assert.Fail("It is empty.");
    });

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public Task Either_token_ends_the_wait(bool given, bool with) => On.Processors(2, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        await channel.SendAsync(1);
        using var cancellation = new CancellationTokenSource();
        using var other = new CancellationTokenSource();
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            IAsyncEnumerable<int> all = channel.ReceiveAllAsync(given ? cancellation.Token : default);
            await foreach (int value in all.WithCancellation(with ? given ? other.Token : cancellation.Token : default))
            {
                seen += value;
                Go.Spawn(cancellation.Cancel);
            }
        });
        Assert.Equal(1, seen);
        ValueTask<(int, bool)> next = channel.ReceiveAsync();
        Assert.True(channel.TrySend(2)); // nobody stands in line any more
        Assert.Equal((2, true), await next);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task One_enumerable_can_be_enumerated_by_several(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        IAsyncEnumerable<int> all = channel.ReceiveAllAsync();
        int sum = 0;
        var group = new WaitGroup();
        for (int r = 0; r < 3; r++)
        {
            group.Go(async () =>
            {
                await foreach (int value in all)
                    Interlocked.Add(ref sum, value);
            });
        }
        for (int i = 1; i <= 300; i++)
            await channel.SendAsync(i);
        channel.Close();
        await group.WaitAsync();
        Assert.Equal(300 * 301 / 2, sum);
    });

    [Fact]
    public async Task A_wait_keeps_the_goroutine_that_waits()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Channel<int> channel = Channel.Make<int>();
            Go.Spawn(async () =>
            {
                for (int i = 0; i < 10; i++)
                    await channel.SendAsync(i);
                channel.Close();
            });
            Goroutine before = Machine.OfThisThread!.Current!;
            await foreach (int _ in channel)
                Assert.Same(before, Machine.OfThisThread!.Current);
        }).Within();
    }
}
