using System.Threading.Channels;

namespace NetGo.Scheduler.Tests.Simulations;

public sealed class ChannelExploration
{
    /// <summary>Sends, receives, tries, closes and cancels at random, each compared with the model.</summary>
    [Exploration]
    public void A_channel_does_what_its_model_does() => Exploration.Run(async choices =>
    {
        int capacity = choices.Below(4);
        Channel<int> channel = Channel.Make<int>(capacity);
        var model = new ChannelModel(capacity);
        var ledger = new Ledger();
        int lastValue = 0;
        int closes = choices.Below(2);
        await ledger.RunAsync(choices, choices.Between(3, 8), ActAsync, Check, Close);

        async Task ActAsync(int index, Choices own)
        {
            int bias = own.Between(2, 8); // some send more, some receive more
            for (int operations = own.Between(2, 8); operations > 0; operations--)
            {
                int kind = own.Below(10);
                if (kind == 0)
                    ledger.CancelOne(own);
                else if (kind == 1 && own.OneIn(4) && closes-- > 0 && !model.IsClosed)
                    Close();
                else if (kind < bias)
                    await SendAsync(own);
                else
                    await ReceiveAsync(own);
                Check();
                if (own.OneIn(3))
                    await own.PauseAsync();
            }
        }

        async Task SendAsync(Choices own)
        {
            int value = ++lastValue;
            if (own.OneIn(4))
            {
                Expected tried = model.Send(value, waits: false);
                if (tried.Ending == Ending.Closed)
                    Assert.Throws<ChannelClosedException>(() => channel.TrySend(value));
                else
                    Assert.Equal(tried.Ending == Ending.Done, channel.TrySend(value));
                return;
            }
            Expected send = null!;
            CancellationToken token = ledger.TokenOrNone(own, () => model.Cancel(send));
            send = model.Send(value);
            await ledger.FollowAsync(channel.SendAsync(value, token), send, own);
        }

        async Task ReceiveAsync(Choices own)
        {
            if (own.OneIn(4))
            {
                Expected tried = model.Receive(waits: false);
                Assert.Equal(tried.Ending != Ending.Undecided, channel.TryReceive(out int value, out bool ok));
                Assert.Equal((tried.Value, tried.Ending == Ending.Done), (value, ok));
                return;
            }
            Expected receive = null!;
            CancellationToken token = ledger.TokenOrNone(own, () => model.Cancel(receive));
            receive = model.Receive();
            ValueTask<(int, bool)> operation = channel.ReceiveAsync(token);
            await ledger.FollowAsync(() => Compare(operation, receive), receive, own);
        }

        static async Task Compare(ValueTask<(int Value, bool Ok)> operation, Expected expected)
        {
            (int value, bool ok) = await operation;
            Assert.Equal(expected.Value, value);
            if (!ok)
                throw new ChannelClosedException();
        }

        void Check()
        {
            Assert.Equal(model.Count, channel.Count);
            Assert.InRange(channel.Count, 0, capacity);
        }

        void Close()
        {
            model.Close();
            channel.Close();
        }
    });

    /// <summary>Producers and consumers of every kind: loops, the adapters to System.Threading.Channels, tries; some give up
    /// with a token. What was sent is received once, in its sender's order; what was given up is not.</summary>
    [Exploration]
    public void What_was_sent_is_received_once_in_order() => Exploration.Run(async choices =>
    {
        int capacity = choices.Below(4);
        int ways = capacity == 0 ? 2 : 4; // without one, who waits to read and who waits to write wait for each other
        Channel<(int Sender, int Number)> channel = Channel.Make<(int Sender, int Number)>(capacity);
        List<(int Sender, int Number)> sent = [];
        List<(int Sender, int Number)> received = [];
        bool closesEarly = choices.OneIn(4);
        int senders = choices.Between(1, 3);
        var sending = new WaitGroup();
        sending.Add(senders);
        Go.Spawn(async () =>
        {
            if (closesEarly)
                await Go.SleepAsync(TimeSpan.FromMilliseconds(3));
            else
                await sending.WaitAsync();
            channel.Close();
        });
        await choices.TogetherAsync(senders + choices.Between(1, 4), (index, own) => index < senders ? SendAllAsync(index, own) : ReceiveAllAsync(own));
        Assert.Equal(0, channel.Count);
        Assert.Equal(sent.Order(), received.Order());

        async Task SendAllAsync(int sender, Choices own)
        {
            ChannelWriter<(int, int)> writer = channel.AsWriter();
            int way = own.Below(ways);
            try
            {
                for (int i = own.Between(1, 6); i > 0; i--)
                {
                    (int, int) value = (sender, -i);
                    if (await SendOneAsync(value))
                        sent.Add(value);
                    await own.PauseAsync();
                }
            }
            catch (ChannelClosedException)
            {
                Assert.True(closesEarly);
            }
            catch (System.Threading.Channels.ChannelClosedException)
            {
                Assert.True(closesEarly);
            }
            sending.Done();

            async Task<bool> SendOneAsync((int, int) value)
            {
                switch (way)
                {
                    case 0:
                        await channel.SendAsync(value);
                        return true;
                    case 1:
                        return await own.GivesUpAsync(token => channel.SendAsync(value, token));
                    case 2:
                        while (await writer.WaitToWriteAsync())
                        {
                            if (writer.TryWrite(value))
                                return true;
                            await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); // another was quicker: let it go on
                        }
                        return false;
                    default:
                        await writer.WriteAsync(value);
                        return true;
                }
            }
        }

        async Task ReceiveAllAsync(Choices own)
        {
            var last = new Dictionary<int, int>();
            switch (own.Below(ways))
            {
                case 0:
                    await foreach ((int, int) value in channel)
                        await TakeAsync(value);
                    break;
                case 1:
                    bool open = true;
                    while (open)
                    {
                        await own.GivesUpAsync(async token =>
                        {
                            ((int, int) value, open) = await channel.ReceiveAsync(token);
                            if (open)
                                await TakeAsync(value);
                        });
                        open &= !own.OneIn(3) || !await own.GivesUpAsync(async token =>
                        {
                            await foreach ((int, int) value in channel.ReceiveAllAsync(token))
                                await TakeAsync(value);
                        });
                    }
                    break;
                case 2:
                    ChannelReader<(int, int)> reader = channel.AsReader();
                    while (await reader.WaitToReadAsync())
                    {
                        while (reader.TryRead(out (int, int) value))
                            await TakeAsync(value);
                        await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                    }
                    break;
                default:
                    await foreach ((int, int) value in channel.AsReader().ReadAllAsync())
                        await TakeAsync(value);
                    break;
            }

            async Task TakeAsync((int Sender, int Number) value)
            {
                received.Add(value);
                Assert.True(last.GetValueOrDefault(value.Sender, int.MinValue) < value.Number);
                last[value.Sender] = value.Number;
                await own.PauseAsync();
            }
        }
    });

    [Fact]
    public void A_check_of_the_count_before_a_send_is_found() => Exploration.Finds(async choices =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        await choices.TogetherAsync(3, async (_, own) =>
        {
            if (channel.Count != 0)
                return;
            await own.PauseAsync(); // the mistake: between the look and the send another may send
            Assert.True(channel.TrySend(1));
        });
    });
}
