namespace NetGo.Scheduler.Tests.Simulations;

public sealed class SelectExploration
{
    /// <summary>A channel with what its users wait for, as far as they can tell from outside.</summary>
    private sealed class Watched(int capacity)
    {
        public Channel<int> Channel { get; } = NetGo.Channel.Make<int>(capacity);
        public bool IsClosed { get; private set; }
        public List<int> WhoReceives { get; } = [];
        public List<int> WhoSends { get; } = [];

        public void Close()
        {
            if (!IsClosed)
                Channel.Close();
            IsClosed = true;
        }

        /// <summary>When nobody can go on, nobody waits for what is possible. (Who waits for both on the same channel does not
        /// serve himself.)</summary>
        public void CheckAtRest()
        {
            if (WhoReceives.Count > 0 || WhoSends.Count > 0)
                Assert.False(IsClosed);
            if (WhoReceives.Count > 0)
                Assert.Equal(0, Channel.Count);
            if (WhoSends.Count > 0)
                Assert.Equal(Channel.Capacity, Channel.Count);
            Assert.False(WhoReceives.Exists(receiver => WhoSends.Exists(sender => sender != receiver)));
        }
    }

    /// <summary>Selects over channels of all kinds, in which the same channel may stand more than once and on both sides, used
    /// again and again, with tries, time-outs and tokens, beside plain sends and receives. One case happens, or none.</summary>
    [Exploration]
    public void Exactly_one_case_happens_and_no_value_is_lost_or_doubled() => Exploration.Run(choices => RunAsync(choices, new Flaws()));

    /// <summary>What is done wrong on purpose.</summary>
    private sealed class Flaws
    {
        /// <summary>Takes the value of a case that has not happened.</summary>
        public bool TakesAnyCase { get; init; }
    }

    private static async Task RunAsync(Choices choices, Flaws flaws)
    {
        Watched[] channels = [.. Enumerable.Range(0, choices.Between(1, 3)).Select(_ => new Watched(choices.Below(3)))];
        HashSet<int> sent = [];
        List<int> received = [];
        int lastValue = 0;
        int actors = choices.Between(2, 6);
        int living = actors;
        List<CancellationTokenSource> tokens = [];
        for (int i = 0; i < actors; i++)
        {
            int index = i;
            var own = new Choices((uint)choices.Below(int.MaxValue));
            Go.Spawn(async () =>
            {
                await (own.OneIn(4) ? PlainAsync(index, own) : SelectAsync(index, own));
                living--;
            });
        }
        while (true)
        {
            await Simulation.WaitAsync();
            foreach (Watched channel in channels)
                channel.CheckAtRest();
            if (living == 0)
                break;
            if (tokens.Count > 0 && choices.OneIn(2))
                CancelOne(choices);
            else if (choices.OneIn(3))
                choices.Of(channels).Close();
            else
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            if (choices.OneIn(60))
                Array.ForEach(channels, static channel => channel.Close());
        }
        foreach (Watched channel in channels)
        {
            while (channel.Channel.TryReceive(out int value))
                received.Add(value);
        }
        Assert.Equal(sent.Order(), received.Order());

        void CancelOne(Choices own)
        {
            CancellationTokenSource source = own.Of(tokens);
            tokens.Remove(source);
            source.Cancel();
        }

        async Task PlainAsync(int who, Choices own)
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                Watched channel = own.Of(channels);
                if (own.OneIn(2))
                {
                    int value = ++lastValue;
                    channel.WhoSends.Add(who);
                    try
                    {
                        await channel.Channel.SendAsync(value);
                        sent.Add(value);
                    }
                    catch (ChannelClosedException)
                    {
                        Assert.True(channel.IsClosed);
                    }
                    channel.WhoSends.Remove(who);
                }
                else
                {
                    channel.WhoReceives.Add(who);
                    (int value, bool ok) = await channel.Channel.ReceiveAsync();
                    channel.WhoReceives.Remove(who);
                    if (ok)
                        received.Add(value);
                    else
                        Assert.True(channel.IsClosed);
                }
                await own.PauseAsync();
            }
        }

        async Task SelectAsync(int who, Choices own)
        {
            var select = new Select();
            List<(ReceiveCase<int>? Receive, SendCase<int>? Send, Watched Channel)> cases = [];
            for (int i = own.Between(1, 4); i > 0; i--)
            {
                Watched channel = own.Of(channels);
                cases.Add(own.OneIn(2) ? (select.Receive(channel.Channel), null, channel) : (null, select.Send(channel.Channel, 0), channel));
            }
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                Renew(own, cases);
                (int happened, bool closed) = await OnceAsync(who, own, select, cases);
                if (happened < 0)
                    continue;
                var chosen = cases[happened];
                if (flaws.TakesAnyCase)
                    chosen = cases[0];
                if (closed)
                    Assert.Contains(cases, static c => c.Send is not null && c.Channel.IsClosed);
                else if (chosen.Send is { } send)
                    Assert.True(sent.Add(send.Value));
                else if (chosen.Receive!.Ok)
                    received.Add(chosen.Receive.Value);
                else
                    Assert.True(chosen.Channel.IsClosed);
                await own.PauseAsync();
            }
        }

        // Each wait sends values of its own, and may turn a case off or give it another channel.
        void Renew(Choices own, List<(ReceiveCase<int>? Receive, SendCase<int>? Send, Watched Channel)> cases)
        {
            for (int i = 0; i < cases.Count; i++)
            {
                (ReceiveCase<int>? receive, SendCase<int>? send, Watched channel) = cases[i];
                send?.Value = ++lastValue;
                if (!own.OneIn(4))
                    continue;
                channel = own.Of(channels);
                receive?.Channel = channel.Channel;
                send?.Channel = channel.Channel;
                cases[i] = (receive, send, channel);
            }
        }

        async Task<(int Case, bool Closed)> OnceAsync(
            int who, Choices own, Select select, List<(ReceiveCase<int>? Receive, SendCase<int>? Send, Watched Channel)> cases)
        {
            CancellationToken token = default;
            CancellationTokenSource? source = null;
            TimeSpan timeout = own.OneIn(3) ? own.Milliseconds(0, 3) : Timeout.InfiniteTimeSpan;
            if (own.OneIn(3))
            {
                source = new CancellationTokenSource();
                tokens.Add(source);
                token = source.Token;
            }
            long start = GoScheduler.Current.Now();
            Watch(true);
            try
            {
                if (own.OneIn(5))
                    return (select.TryWait(out int tried) ? tried : -1, false);
                ValueTask<int> wait = select.WaitAsync(timeout, token);
                if (own.OneIn(5) && source is not null)
                    source.Cancel(); // after it has been queued, before it is awaited
                if (own.OneIn(4))
                    await Go.YieldAsync();
                int happened = await wait;
                if (happened < 0)
                    Assert.Equal(timeout, TimeSpan.FromTicks((GoScheduler.Current.Now() - start) / 100));
                return (happened, false);
            }
            catch (ChannelClosedException)
            {
                return (0, true);
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(token, e.CancellationToken);
                Assert.True(token.IsCancellationRequested);
                return (-1, false);
            }
            finally
            {
                Watch(false);
                tokens.Remove(source!);
            }

            void Watch(bool waits)
            {
                foreach ((ReceiveCase<int>? receive, _, Watched channel) in cases)
                {
                    List<int> side = receive is null ? channel.WhoSends : channel.WhoReceives;
                    if (waits)
                        side.Add(who);
                    else
                        side.Remove(who);
                }
            }
        }
    }

    /// <summary>Requests and answers with a time-out and a way to quit, as servers have it.</summary>
    [Exploration]
    public void A_server_of_selects_answers_each_request_that_was_not_given_up() => Exploration.Run(async choices =>
    {
        Channel<(int Number, Channel<int> Answers)> requests = Channel.Make<(int Number, Channel<int> Answers)>(choices.Below(2));
        Channel<bool> quit = Channel.Make<bool>();
        int served = 0;
        int answered = 0;
        int dropped = 0;
        var servers = new WaitGroup();
        for (int i = choices.Between(1, 2); i > 0; i--)
        {
            var own = new Choices((uint)choices.Below(int.MaxValue));
            servers.Go(async () =>
            {
                var select = new Select();
                ReceiveCase<(int Number, Channel<int> Answers)> request = select.Receive(requests);
                ReceiveCase<bool> quits = select.Receive(quit);
                while (await select.WaitAsync() != quits.Index)
                {
                    served++;
                    await own.PauseAsync();
                    var reply = new Select();
                    SendCase<int> answer = reply.Send(request.Value.Answers, 2 * request.Value.Number);
                    if (await reply.WaitAsync(TimeSpan.FromMilliseconds(5)) != answer.Index)
                        dropped++;
                }
            });
        }
        await choices.TogetherAsync(choices.Between(1, 4), async (index, own) =>
        {
            for (int i = 1; i <= own.Between(1, 4); i++)
            {
                Channel<int> answers = Channel.Make<int>();
                await requests.SendAsync((i, answers));
                var select = new Select();
                ReceiveCase<int> answer = select.Receive(answers);
                if (await select.WaitAsync(own.Milliseconds(1, 6)) != answer.Index)
                    continue;
                Assert.Equal((2 * i, true), (answer.Value, answer.Ok));
                answered++;
            }
        });
        await Go.SleepAsync(TimeSpan.FromMilliseconds(20));
        Assert.Equal(0, requests.Count);
        quit.Close();
        await servers.WaitAsync();
        Assert.Equal(served, answered + dropped);
    });

    [Fact]
    public void A_value_taken_from_the_wrong_case_is_found() =>
        Exploration.Finds(static choices => RunAsync(choices, new Flaws { TakesAnyCase = true }));

    [Fact]
    public void A_time_out_that_stands_beside_the_wait_instead_of_in_it_is_found() => Exploration.Finds(async choices =>
    {
        Channel<int> channel = Channel.Make<int>();
        Channel<DateTimeOffset> late = Go.After(TimeSpan.FromMilliseconds(2));
        Go.Spawn(async () =>
        {
            await choices.PauseAsync();
            await channel.SendAsync(1); // the mistake: for ever, when the receiver has given up
        });
        var select = new Select();
        select.Receive(channel);
        select.Receive(late);
        await select.WaitAsync();
    });
}
