namespace NetGo.Scheduler.Tests.Sync;

public class NeverChannelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Sends_and_receives_wait_for_ever(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            bool went = false;
            Goroutine? sender = null;
            Goroutine? receiver = null;
            Go.Spawn(async () =>
            {
                sender = Machine.OfThisThread!.Current;
                await Channel<int>.Never.SendAsync(1);
                went = true;
            });
            Go.Spawn(async () =>
            {
                receiver = Machine.OfThisThread!.Current;
                await Channel<int>.Never.ReceiveAsync();
                went = true;
            });
            await On.Until(() => sender is { Status: GoroutineStatus.Waiting } && receiver is { Status: GoroutineStatus.Waiting });
            Assert.Equal((WaitReason.Forever, WaitReason.Forever), (sender!.WaitReason, receiver!.WaitReason));
            Assert.False(Channel<int>.Never.TrySend(1));
            Assert.False(Channel<int>.Never.TryReceive(out int _, out bool _));
            Assert.False(went);
        }).Within();
    }

    [Fact]
    public void Has_no_room_and_cannot_be_closed()
    {
        Assert.Equal((0, 0), (Channel<int>.Never.Capacity, Channel<int>.Never.Count));
        Assert.Throws<InvalidOperationException>(Channel<int>.Never.Close);
        Assert.Throws<InvalidOperationException>(default(SendChannel<int>).Close);
        Assert.False(Channel<int>.Never.TrySend(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task A_token_ends_the_wait(int processors) => On.Processors(processors, async () =>
    {
        using var cancellation = new CancellationTokenSource();
        ValueTask send = Channel<int>.Never.SendAsync(1, cancellation.Token);
        ValueTask<(int, bool)> receive = default(ReceiveChannel<int>).ReceiveAsync(cancellation.Token);
        Assert.False(send.IsCompleted || receive.IsCompleted);
        Go.Spawn(cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await send);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await receive);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task A_select_never_chooses_it(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        var select = new Select();
        select.Receive(Channel<int>.Never);
        select.Send(Channel<int>.Never, 1);
        select.Receive(default(ReceiveChannel<int>));
        ReceiveCase<int> real = select.Receive(channel);
        for (int i = 0; i < 50; i++)
        {
            ValueTask<int> wait = select.WaitAsync();
            Assert.False(wait.IsCompleted);
            Assert.True(channel.TrySend(i));
            Assert.Equal(real.Index, await wait);
        }
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_select_without_a_channel_waits_for_ever(bool withCases)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Goroutine? waiting = null;
            Go.Spawn(async () =>
            {
                waiting = Machine.OfThisThread!.Current;
                var select = new Select();
                if (withCases)
                    select.Receive<int>(null);
                await select.WaitAsync();
            });
            await On.Until(() => waiting is { Status: GoroutineStatus.Waiting });
            Assert.Equal(WaitReason.Forever, waiting!.WaitReason);
        }).Within();
    }
}
