namespace NetGo.Netpoll.Tests;

// Several threads at one poller, and several pollers.
public abstract partial class PollerContract
{
    private static Task OnThread(Action body) => Task.Factory.StartNew(
        body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    [Fact]
    public async Task No_wake_of_several_threads_is_lost_while_another_polls_without_waiting()
    {
        const int Wakers = 3;
        const int WakesOfEach = 500;
        long published = 0;
        long seen = 0;
        bool stop = false;
        Task owner = OnThread(() =>
        {
            for (long end = 0; end < Wakers * WakesOfEach; Volatile.Write(ref seen, end))
            {
                PollOnce(TimeSpan.FromMinutes(1));
                end = Volatile.Read(ref published);
            }
        });
        Task sysmon = OnThread(() =>
        {
            while (!Volatile.Read(ref stop))
                PollOnce(TimeSpan.Zero);
        });
        Task wakers = Task.WhenAll(Enumerable.Range(0, Wakers).Select(_ => OnThread(() =>
        {
            for (int i = 0; i < WakesOfEach; i++)
            {
                long mine = Interlocked.Increment(ref published);
                _poller.Wake();
                Bounded.Until(() => Volatile.Read(ref seen) >= mine, $"wake {mine}");
            }
        })));
        try
        {
            await wakers.WaitAsync(TimeSpan.FromMinutes(1));
        }
        finally
        {
            Volatile.Write(ref stop, true);
            Volatile.Write(ref published, long.MaxValue);
            _poller.Wake();
            await Task.WhenAll(owner, sysmon).Within();
        }
    }

    [Theory]
    [InlineData(3_000_000L * 1_000_000_000)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public async Task However_long_a_poll_is_to_wait_it_waits_and_can_be_woken(long timeout)
    {
        Task poll = Task.Run(() =>
        {
            GoroutineQueue ready = default;
            _poller.Poll(timeout, ref ready);
        });
        bool waited = await Task.WhenAny(poll, Task.Delay(50)) != poll;
        _poller.Wake();
        await poll.Within();
        Assert.True(waited);
    }

    [Fact]
    public async Task Two_threads_that_poll_wake_each_goroutine_once()
    {
        const int Connections = 50;
        var all = Enumerable.Range(0, Connections).Select(_ => MakeRegistered()).ToList();
        PollUntil(() => all.All(c => c.Desc.TryConsumeReady(PollMode.Write)));
        for (int round = 0; round < 20; round++)
        {
            Task<PollResult>[] waits = [.. all.Select(c => WaitParked(c.Desc, PollMode.Read))];
            int woken = 0;
            bool stop = false;
            Task[] polls = [.. Enumerable.Range(0, 2).Select(thread => OnThread(() =>
            {
                while (!Volatile.Read(ref stop))
                    Interlocked.Add(ref woken, PollOnce(thread == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1)));
            }))];
            all.ForEach(c => c.Peer.Send([1]));
            try
            {
                await Task.WhenAll(waits).Within();
            }
            finally
            {
                Volatile.Write(ref stop, true);
                await Task.WhenAll(polls).Within();
            }
            Assert.Equal(Connections, woken);
            Assert.All(all, c => Assert.Equal(1, SocketPair.Read(c.Descriptor, new byte[10])));
        }
    }

    [Fact]
    public async Task The_events_of_an_adopted_poller_are_seen_until_it_is_released()
    {
        using INetPoller other = MakePoller();
        var (descriptor, peer, desc) = MakeRegistered(other);
        for (int round = 0; round < 3; round++)
        {
            Assert.True(_poller.TryAdopt(other));
            other.Wake(); // by one who does not know yet
            Task<PollResult> wait = WaitParked(desc, PollMode.Read);
            peer.Send([1]);
            PollUntil(() => wait.IsCompleted);
            Assert.Equal(PollResult.Ready, await wait);
            Assert.Equal(1, SocketPair.Read(descriptor, new byte[10]));
            Assert.True(_poller.TryRelease(other));

            wait = WaitParked(desc, PollMode.Read);
            peer.Send([1]);
            PollUntil(() => wait.IsCompleted, other);
            Assert.Equal(PollResult.Ready, await wait);
            Assert.Equal(1, SocketPair.Read(descriptor, new byte[10]));
            Task poll = Task.Run(() => PollOnce(TimeSpan.FromMinutes(1), other));
            other.Wake();
            await poll.Within();
        }
        Assert.True(_poller.TryRelease(other)); // that it is not adopted any more is no failure
    }

    [Fact]
    public void An_adopted_poller_can_be_disposed_of_and_so_can_its_adopter()
    {
        INetPoller adopter = MakePoller();
        INetPoller other = MakePoller();
        MakeRegistered(other);
        Assert.True(adopter.TryAdopt(other));
        adopter.Dispose();
        other.Dispose();
    }
}
