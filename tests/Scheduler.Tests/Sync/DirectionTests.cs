namespace NetGo.Scheduler.Tests.Sync;

public class DirectionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Each_side_does_its_half(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        Go.Spawn(() => Produce(channel));
        Assert.Equal(45, await Sum(channel));

        static async Task Produce(SendChannel<int> numbers)
        {
            Assert.Equal(1, numbers.Capacity);
            Assert.True(numbers.TrySend(0));
            for (int i = 1; i < 10; i++)
                await numbers.SendAsync(i);
            numbers.Close();
        }

        static async Task<int> Sum(ReceiveChannel<int> numbers)
        {
            int sum = 0;
            while (await numbers.ReceiveAsync() is (var number, true))
                sum += number;
            Assert.False(numbers.TryReceive(out _));
            return sum;
        }
    });

    [Fact]
    public Task A_select_takes_sides() => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        SendChannel<int> to = channel;
        ReceiveChannel<int> from = channel;
        var select = new Select();
        SendCase<int> send = select.Send(to, 5);
        ReceiveCase<int> receive = select.Receive(from);
        Assert.Equal(send.Index, await select.WaitAsync());
        Assert.Equal(receive.Index, await select.WaitAsync());
        Assert.Equal(5, receive.Value);
        send.Channel = default;
        Assert.False(select.TryWait(out _));
    });

    [Fact]
    public void Sides_of_one_channel_are_equal()
    {
        Channel<int> channel = Channel.Make<int>();
        ReceiveChannel<int> a = channel;
        ReceiveChannel<int> b = channel;
        ReceiveChannel<int> other = Channel.Make<int>();
        ReceiveChannel<int> none = (Channel<int>?)null;
        Assert.Equal(a, b);
        Assert.NotEqual(a, other);
        Assert.Equal(default, none);
        Assert.Equal<ReceiveChannel<int>>(default, Channel<int>.Never);
        Assert.Equal<SendChannel<int>>(default, Channel<int>.Never);
    }
}
