namespace NetGo.Scheduler.Tests.Sync;

/// <summary>A goroutine for which a channel is always ready must not keep the others from running.</summary>
public class ChannelBudgetTests
{
    private const int MoreThanTheBudget = 200_000;

    [Fact]
    public Task Sends_and_receives_that_are_always_ready_let_others_run() => Starves(async stopped =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        for (int i = 0; !stopped(); i++)
        {
            await channel.SendAsync(i);
            Assert.Equal((i, true), await channel.ReceiveAsync());
        }
    });

    [Fact]
    public Task Receives_from_a_closed_channel_let_others_run() => Starves(async stopped =>
    {
        Channel<string> channel = Channel.Make<string>();
        channel.Close();
        bool any = false;
        while (!stopped())
            any |= (await channel.ReceiveAsync()).Ok;
        Assert.False(any);
    });

    [Fact]
    public Task A_select_that_is_always_ready_lets_others_run() => Starves(async stopped =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        var select = new Select();
        SendCase<int> send = select.Send(channel, 0);
        ReceiveCase<int> receive = select.Receive(channel);
        for (int i = 0; !stopped(); i++)
        {
            send.Value = i;
            Assert.Equal(send.Index, await select.WaitAsync());
            Assert.Equal(receive.Index, await select.WaitAsync());
            Assert.Equal(i, receive.Value);
        }
    });

    [Fact]
    public Task A_select_that_only_looks_lets_others_run() => Starves(async stopped =>
    {
        var select = new Select();
        select.Receive(Channel.Make<int>());
        while (!stopped())
            Assert.Equal(-1, await select.WaitAsync(TimeSpan.Zero));
    });

    [Fact]
    public Task A_loop_over_values_that_are_there_lets_others_run() => Starves(async stopped =>
    {
        Channel<int> channel = Channel.Make<int>(1000);
        channel.TrySend(0);
        await foreach (int value in channel)
        {
            if (stopped())
                break;
            channel.TrySend(value + 1);
        }
    });

    [Fact]
    public Task Values_keep_their_order_and_errors_their_place_when_the_budget_is_used_up() => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>(MoreThanTheBudget);
        for (int i = 0; i < MoreThanTheBudget; i++)
            await channel.SendAsync(i);
        channel.Close();
        for (int i = 0; i < MoreThanTheBudget; i++)
            Assert.Equal((i, true), await channel.ReceiveAsync());
        var select = new Select();
        select.Send(channel, 1);
        for (int i = 0; i < MoreThanTheBudget; i++)
            await Assert.ThrowsAsync<ChannelClosedException>(async () => await select.WaitAsync());
    });

    [Fact]
    public Task A_result_that_is_due_by_way_of_a_yield_can_still_be_taken_once_only() => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        for (int i = 0; i < MoreThanTheBudget; i++)
        {
            await channel.SendAsync(i);
            ValueTask<(int, bool)> receive = channel.ReceiveAsync();
            bool yields = !receive.IsCompleted;
            Assert.Equal((i, true), await receive);
            if (!yields)
                continue;
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await receive);
            return;
        }
        Assert.Fail("It never had to yield.");
    });

    // On one processor, without sysmon's help: the greedy one loops until the other has had its rounds.
    private static async Task Starves(Func<Func<bool>, Task> greedy)
    {
        const int rounds = 3;
        const int enough = 5_000_000;
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        int loops = 0;
        await scheduler.RunAsync(async () =>
        {
            int had = 0;
            var group = new WaitGroup();
            group.Go(() => greedy(() => Volatile.Read(ref had) == rounds || ++loops > enough));
            group.Go(async () =>
            {
                for (; had < rounds; had++)
                    await Go.YieldAsync();
            });
            await group.WaitAsync();
        }).Within();
        Assert.InRange(loops, 1, enough);
        Bounded.NoneLeft(scheduler);
    }
}
