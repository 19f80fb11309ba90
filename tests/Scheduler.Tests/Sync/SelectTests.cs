namespace NetGo.Scheduler.Tests.Sync;

public class SelectTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Takes_what_is_ready(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> empty = Channel.Make<int>(1);
        Channel<string> full = Channel.Make<string>(1);
        await full.SendAsync("x");
        var select = new Select();
        ReceiveCase<int> never = select.Receive(empty);
        ReceiveCase<string> ready = select.Receive(full);
        Assert.Equal(ready.Index, await select.WaitAsync());
        Assert.Equal(("x", true), (ready.Value, ready.Ok));
        Assert.False(select.TryWait(out int index));
        Assert.Equal(-1, index);
        await empty.SendAsync(5);
        Assert.True(select.TryWait(out index));
        Assert.Equal(never.Index, index);
        Assert.Equal(5, never.Value);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Waits_for_the_first_and_leaves_the_others_alone(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        Channel<int> c = Channel.Make<int>();
        var select = new Select();
        ReceiveCase<int> fromA = select.Receive(a);
        ReceiveCase<int> fromB = select.Receive(b);
        SendCase<int> toC = select.Send(c, 30);
        for (int i = 0; i < 100; i++)
        {
            ValueTask<int> wait = select.WaitAsync();
            Assert.False(wait.IsCompleted);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await select.WaitAsync());
            Assert.True(b.TrySend(i));
            Assert.False(a.TrySend(i));
            Assert.False(b.TrySend(i));
            Assert.False(c.TryReceive(out _));
            Assert.Equal(fromB.Index, await wait);
            Assert.Equal((i, true), (fromB.Value, fromB.Ok));

            toC.Value = i;
            wait = select.WaitAsync();
            Assert.Equal((i, true), await c.ReceiveAsync());
            Assert.False(a.TrySend(i));
            Assert.Equal(toC.Index, await wait);
            Assert.False(fromA.Ok);
        }
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_case_that_lost_does_not_stand_in_line(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        var select = new Select();
        select.Receive(a);
        ReceiveCase<int> fromB = select.Receive(b);
        for (int i = 0; i < 3; i++)
        {
            ValueTask<int> wait = select.WaitAsync();
            Assert.True(b.TrySend(i));
            Assert.Equal(fromB.Index, await wait);
        }
        ValueTask<(int, bool)> receive = a.ReceiveAsync();
        Assert.True(a.TrySend(10));
        Assert.False(a.TrySend(11));
        Assert.Equal((10, true), await receive);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Close_is_an_event_for_receives_and_an_error_for_sends(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        var receiving = new Select();
        receiving.Receive(b);
        ReceiveCase<int> fromA = receiving.Receive(a);
        var sending = new Select();
        sending.Send(b, 2);
        ValueTask<int> received = receiving.WaitAsync();
        a.Close();
        Assert.Equal(fromA.Index, await received);
        Assert.False(fromA.Ok);
        ValueTask<int> sent = sending.WaitAsync();
        b.Close();
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await sent);
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await sending.WaitAsync());
        Assert.Throws<ChannelClosedException>(() => sending.TryWait(out _));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_case_without_a_channel_never_happens(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        var select = new Select();
        ReceiveCase<int> receive = select.Receive<int>(null);
        SendCase<int> send = select.Send<int>(null, 1);
        Assert.False(select.TryWait(out _));
        send.Channel = channel;
        Assert.Equal(send.Index, await select.WaitAsync());
        send.Channel = null;
        receive.Channel = channel;
        Assert.Equal(receive.Index, await select.WaitAsync());
        Assert.Equal(1, receive.Value);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task One_channel_may_be_in_several_cases(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        var select = new Select();
        ReceiveCase<int> first = select.Receive(channel);
        SendCase<int> send = select.Send(channel, 1);
        ReceiveCase<int> second = select.Receive(channel);
        ValueTask<int> wait = select.WaitAsync();
        Assert.False(wait.IsCompleted); // it is no partner of its own
        await channel.SendAsync(2);
        int won = await wait;
        Assert.NotEqual(send.Index, won);
        Assert.Equal(2, (won == first.Index ? first : second).Value);
        Assert.False(channel.TrySend(3));
        Assert.False(channel.TryReceive(out _));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Choice_is_fair(int processors) => On.Processors(processors, async () =>
    {
        const int cases = 4;
        const int rounds = 8000;
        var select = new Select();
        Channel<int>[] channels = new Channel<int>[cases];
        for (int i = 0; i < cases; i++)
            select.Receive(channels[i] = Channel.Make<int>(1));
        int[] chosen = new int[cases];
        for (int i = 0; i < rounds; i++)
        {
            foreach (Channel<int> channel in channels)
                channel.TrySend(i);
            chosen[await select.WaitAsync()]++;
        }
        // 11 standard deviations of a fair choice
        Assert.All(chosen, count => Assert.InRange(count, rounds / cases - 430, rounds / cases + 430));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Nothing_is_lost_or_doubled_under_stress(int processors) => On.Processors(processors, async () =>
    {
        // Everyone selects: senders over all channels in one order, receivers in the other.
        const int channelCount = 3;
        const int senders = 8;
        const int receivers = 6;
        const int each = 3000;
        Channel<int>[] channels = [Channel.Make<int>(), Channel.Make<int>(1), Channel.Make<int>()];
        Channel<bool> quit = Channel.Make<bool>();
        int[] seen = new int[senders * each];
        var sending = new WaitGroup();
        var receiving = new WaitGroup();
        for (int s = 0; s < senders; s++)
        {
            int from = s * each;
            sending.Go(async () =>
            {
                var select = new Select();
                SendCase<int>[] cases = new SendCase<int>[channelCount];
                for (int i = 0; i < channelCount; i++)
                    cases[i] = select.Send(channels[i], 0);
                for (int i = 0; i < each; i++)
                {
                    foreach (SendCase<int> c in cases)
                        c.Value = from + i;
                    await select.WaitAsync();
                }
            });
        }
        for (int r = 0; r < receivers; r++)
        {
            receiving.Go(async () =>
            {
                var select = new Select();
                ReceiveCase<int>[] cases = new ReceiveCase<int>[channelCount];
                for (int i = 0; i < channelCount; i++)
                    cases[i] = select.Receive(channels[channelCount - 1 - i]);
                ReceiveCase<bool> stop = select.Receive(quit);
                while (true)
                {
                    int index = await select.WaitAsync();
                    if (index == stop.Index)
                        break;
                    Interlocked.Increment(ref seen[cases[index].Value]);
                }
                while (channels[1].TryReceive(out int value))
                    Interlocked.Increment(ref seen[value]);
            });
        }
        await sending.WaitAsync();
        quit.Close();
        await receiving.WaitAsync();
        Assert.All(seen, count => Assert.Equal(1, count));
    });

    // Two that lock the same channels, added in opposite order, and each both sends and receives.
    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Opposite_orders_do_not_dead_lock(int processors) => On.Processors(processors, async () =>
    {
        const int rounds = 10_000;
        Channel<int> a = Channel.Make<int>(1);
        Channel<int> b = Channel.Make<int>(1);
        int sent = 0;
        int received = 0;
        var group = new WaitGroup();
        for (int g = 0; g < 4; g++)
        {
            (Channel<int> first, Channel<int> second) = g % 2 == 0 ? (a, b) : (b, a);
            group.Go(async () =>
            {
                var select = new Select();
                SendCase<int> sendFirst = select.Send(first, 1);
                SendCase<int> sendSecond = select.Send(second, 1);
                select.Receive(second);
                select.Receive(first);
                for (int i = 0; i < rounds; i++)
                {
                    int index = await select.WaitAsync();
                    Interlocked.Increment(ref index == sendFirst.Index || index == sendSecond.Index ? ref sent : ref received);
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(sent, received + a.Count + b.Count);
        Assert.Equal(4 * rounds, sent + received);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Two_that_send_and_receive_on_one_channel_are_partners(int processors) => On.Processors(processors, async () =>
    {
        const int rounds = 2000;
        Channel<int> channel = Channel.Make<int>();
        Channel<bool> quit = Channel.Make<bool>();
        int sum = 0;
        var group = new WaitGroup();
        for (int g = 0; g < 2; g++)
        {
            int number = g + 1;
            group.Go(async () =>
            {
                var select = new Select();
                SendCase<int> send = select.Send(channel, number);
                ReceiveCase<int> receive = select.Receive(channel);
                ReceiveCase<bool> stop = select.Receive(quit);
                for (int i = 0; i < rounds; i++)
                {
                    int index = await select.WaitAsync();
                    Assert.NotEqual(stop.Index, index);
                    if (index == receive.Index)
                    {
                        Assert.Equal(3 - number, receive.Value);
                        Interlocked.Increment(ref sum);
                    }
                    else
                    {
                        Assert.Equal(send.Index, index);
                    }
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(rounds, sum);
    });
}
