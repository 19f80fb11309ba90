namespace NetGo.Netpoll.Tests;

// Asking for events, where the system tells of each only when it is asked to.
public abstract partial class PollerContract
{
    [Fact]
    public async Task A_wait_outlives_the_thread_that_armed_it()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        PollOnce(TimeSpan.Zero);
        peer.Send([1]);
        PollUntil(() => desc.TryConsumeReady(PollMode.Read)); // nothing is armed for reading now
        Assert.Equal(1, SocketPair.Read(descriptor, new byte[10]));
        var thread = new Thread(() => _poller.Arm(desc, PollMode.Read));
        thread.Start();
        Assert.True(thread.Join(Bounded.Limit));
        PollOnce(TimeSpan.FromMilliseconds(20));
        Assert.False(desc.TryConsumeReady(PollMode.Read));
        Task<PollResult> wait = _scheduler.RunAsync(async () => await desc.WaitAsync(PollMode.Read));
        peer.Send([1]);
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
    }

    [Fact]
    public async Task Arming_again_and_again_is_arming_once()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        for (int i = 0; i < 20; i++)
        {
            await Task.WhenAll(
                Task.Run(() => _poller.Arm(desc, PollMode.Read)), Task.Run(() => _poller.Arm(desc, PollMode.Write)),
                Task.Run(() => _poller.Arm(desc, PollMode.Read)), Task.Run(() => _poller.Arm(desc, PollMode.Write))).Within();
            Task<PollResult> read = WaitParked(desc, PollMode.Read);
            PollOnce(TimeSpan.Zero);
            Assert.False(read.IsCompleted);
            peer.Send([1]);
            PollUntil(() => read.IsCompleted);
            Assert.Equal(PollResult.Ready, await read);
            Assert.Equal(1, SocketPair.Read(descriptor, new byte[10]));
        }
        _poller.Unregister(descriptor, desc, shared: false);
        Assert.False(_poller.HasRegistrations);
    }
}
