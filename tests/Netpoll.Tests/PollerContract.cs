using System.Diagnostics;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>What every poller has to do. The test is the poller's owner: goroutines park on a scheduler without a network, and
/// what a poll makes ready is handed to it.</summary>
public abstract partial class PollerContract : IDisposable
{
    private readonly GoScheduler _scheduler;
    private readonly List<PollDesc> _rented = [];
    private readonly List<nint> _descriptors = [];
    private readonly List<Socket> _peers = [];
    private readonly Dictionary<PollDesc, INetPoller> _pollers = [];
    private readonly INetPoller _poller;

    private protected PollerContract()
    {
        _poller = MakePoller(); // first: it may skip the test, and there is nothing to clean up then
        _scheduler = Bounded.NewScheduler(2);
    }

    private protected abstract INetPoller MakePoller();

    public void Dispose()
    {
        foreach (nint descriptor in _descriptors)
            _ = SystemSockets.Close(descriptor);
        foreach (Socket peer in _peers)
            peer.Dispose();
        foreach (PollDesc desc in _rented)
            PollDescTable.Return(desc);
        _poller.Dispose();
        _scheduler.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Why events are lost when more have come than one poll returns.</summary>
    private protected virtual string? WhyEventsAreLost => null;

    private (nint Descriptor, Socket Peer, PollDesc Desc) MakeRegistered(INetPoller? with = null)
    {
        var (descriptor, peer) = SocketPair.Make();
        _descriptors.Add(descriptor);
        _peers.Add(peer);
        return (descriptor, peer, Register(descriptor, with));
    }

    // A poller that tells of an event only when it is asked to is asked at once, so that what comes first comes as it does from
    // one that is edge-triggered, and then before each wait, as a socket does it.
    private PollDesc Register(nint descriptor, INetPoller? with = null)
    {
        INetPoller poller = with ?? _poller;
        PollDesc desc = PollDescTable.Rent(_scheduler);
        _rented.Add(desc);
        poller.Register(descriptor, desc);
        _pollers[desc] = poller;
        poller.Arm(desc, PollMode.Read);
        poller.Arm(desc, PollMode.Write);
        return desc;
    }

    private int PollOnce(TimeSpan wait, INetPoller? at = null)
    {
        GoroutineQueue ready = default;
        (at ?? _poller).Poll(wait.Ticks * 100, ref ready);
        int count = ready.Count;
        _scheduler.EnqueueGlobal(ref ready);
        return count;
    }

    private void PollUntil(Func<bool> condition, INetPoller? at = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Bounded.Limit, "not in time");
            PollOnce(TimeSpan.FromMilliseconds(1), at);
        }
    }

    private Task<PollResult> WaitParked(PollDesc desc, PollMode mode)
    {
        _pollers[desc].Arm(desc, mode);
        Task<PollResult> wait = _scheduler.RunAsync(async () => await desc.WaitAsync(mode));
        Bounded.Until(() => _scheduler.AllIdle, "parked");
        return wait;
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(1_500)]
    [InlineData(1)]
    public void A_poll_ends_at_its_time_out_and_not_before(int microseconds)
    {
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(0, PollOnce(TimeSpan.FromMicroseconds(microseconds)));
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMicroseconds(microseconds));
    }

    [Fact]
    public async Task Wake_ends_the_current_poll_and_each_of_many()
    {
        for (int i = 0; i < 100; i++)
        {
            Task poll = Task.Run(() => PollOnce(TimeSpan.FromMinutes(1)));
            _poller.Wake();
            await poll.Within();
        }
    }

    [Fact]
    public async Task Wake_ends_the_next_poll()
    {
        _poller.Wake();
        await Task.Run(() => PollOnce(TimeSpan.FromMinutes(1))).Within();
    }

    [Fact]
    public void A_wake_ends_one_poll_and_not_those_after_it()
    {
        _poller.Wake();
        PollOnce(TimeSpan.FromMinutes(1));
        long start = Stopwatch.GetTimestamp();
        PollOnce(TimeSpan.FromMilliseconds(20));
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public async Task A_poll_that_does_not_wait_takes_no_wake_from_one_that_does()
    {
        // Sysmon looks into the poller just when its owner goes to sleep there and is woken.
        _poller.Wake();
        PollOnce(TimeSpan.Zero);
        Task poll = Task.Run(() => PollOnce(TimeSpan.FromMinutes(1)));
        try
        {
            await poll.Within();
        }
        finally
        {
            _poller.Wake();
        }
    }

    [Fact]
    public async Task A_parked_reader_wakes_when_bytes_come()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        Task<PollResult> wait = WaitParked(desc, PollMode.Read);
        PollOnce(TimeSpan.Zero); // writable: nothing to the reader
        Assert.False(wait.IsCompleted);
        peer.Send([1]);
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
        Assert.Equal(1, SocketPair.Read(descriptor, new byte[10]));
    }

    [Fact]
    public async Task Bytes_that_came_before_the_wait_end_it()
    {
        var (_, peer, desc) = MakeRegistered();
        peer.Send([1]);
        GoroutineQueue none = default;
        _poller.Poll(1_000_000_000, ref none);
        Assert.Equal(0, none.Count);
        Assert.Equal(PollResult.Ready, await _scheduler.RunAsync(async () => await desc.WaitAsync(PollMode.Read)).Within());
    }

    [Fact]
    public async Task Bytes_that_came_before_the_registration_end_the_wait()
    {
        var (descriptor, peer) = SocketPair.Make();
        _descriptors.Add(descriptor);
        _peers.Add(peer);
        peer.Send([1]);
        PollDesc desc = Register(descriptor);
        Task<PollResult> wait = WaitParked(desc, PollMode.Read);
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
    }

    [Fact]
    public async Task A_parked_writer_wakes_when_there_is_room()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        long sent = SocketPair.Fill(descriptor);
        PollOnce(TimeSpan.Zero);
        desc.TryConsumeReady(PollMode.Write);
        Task<PollResult> wait = WaitParked(desc, PollMode.Write);
        PollOnce(TimeSpan.Zero);
        Assert.False(wait.IsCompleted);
        byte[] buffer = new byte[1 << 20];
        while (sent > 0)
            sent -= peer.Receive(buffer);
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
    }

    [Fact]
    public async Task Both_directions_park_apart()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        long sent = SocketPair.Fill(descriptor);
        PollOnce(TimeSpan.Zero);
        desc.TryConsumeReady(PollMode.Write);
        Task<PollResult> write = WaitParked(desc, PollMode.Write);
        Task<PollResult> read = WaitParked(desc, PollMode.Read);
        peer.Send([1]);
        PollUntil(() => read.IsCompleted);
        Assert.Equal(PollResult.Ready, await read);
        Assert.False(write.IsCompleted);
        byte[] buffer = new byte[1 << 20];
        while (sent > 0)
            sent -= peer.Receive(buffer);
        PollUntil(() => write.IsCompleted);
        Assert.Equal(PollResult.Ready, await write);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_end_of_the_peer_wakes_the_reader_and_is_remembered(bool reset)
    {
        var (_, peer, desc) = MakeRegistered();
        Task<PollResult> wait = WaitParked(desc, PollMode.Read);
        if (reset)
        {
            peer.LingerState = new LingerOption(true, 0);
            peer.Dispose();
        }
        else
        {
            peer.Shutdown(SocketShutdown.Send);
        }
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
        Assert.True(desc.PeerClosed);
    }

    [Fact]
    public void An_event_of_the_former_user_is_not_the_next_ones()
    {
        var (_, peer, desc) = MakeRegistered();
        PollOnce(TimeSpan.Zero);
        peer.Send([1]);
        peer.Shutdown(SocketShutdown.Send);
        PollDescTable.Return(desc);
        Assert.Same(desc, PollDescTable.Rent(_scheduler));
        PollOnce(TimeSpan.FromMilliseconds(50));
        Assert.False(desc.TryConsumeReady(PollMode.Read));
        Assert.False(desc.TryConsumeReady(PollMode.Write));
        Assert.False(desc.PeerClosed);
    }

    [Fact]
    public async Task A_descriptor_number_may_be_used_again()
    {
        using Socket listener = NewListener();
        int usedAgain = 0;
        for (int i = 0; i < 50; i++)
        {
            var (descriptor, peer, desc) = MakeRegistered();
            using Socket next = NewSocket();
            next.Connect(listener.LocalEndPoint!);
            peer.Send([1]);
            _poller.Unregister(descriptor, desc, shared: false);
            _descriptors.Remove(descriptor);
            _ = SystemSockets.Close(descriptor);
            nint nextDescriptor = SocketPair.Accept(listener);
            _descriptors.Add(nextDescriptor);
            usedAgain += nextDescriptor == descriptor ? 1 : 0;
            PollDesc nextDesc = Register(nextDescriptor);
            Task<PollResult> wait = WaitParked(nextDesc, PollMode.Read);
            PollOnce(TimeSpan.Zero);
            Assert.False(wait.IsCompleted);
            next.Send([1]);
            PollUntil(() => wait.IsCompleted);
            Assert.Equal(PollResult.Ready, await wait);
        }
        Assert.True(usedAgain > 0 || OperatingSystem.IsWindows()); // which need not give the lowest that is free
    }

    [Fact]
    public void It_knows_whether_anything_is_registered()
    {
        Assert.False(_poller.HasRegistrations);
        var (descriptor, _, desc) = MakeRegistered();
        Assert.True(_poller.HasRegistrations);
        _poller.Unregister(descriptor, desc, shared: false);
        Assert.False(_poller.HasRegistrations);
    }

    [Fact]
    public async Task More_events_than_one_poll_returns()
    {
        Assert.SkipWhen(WhyEventsAreLost is not null, WhyEventsAreLost ?? "");
        var all = Enumerable.Range(0, 300).Select(_ => MakeRegistered()).ToList();
        PollOnce(TimeSpan.Zero);
        Task<PollResult>[] waits = [.. all.Select(c => _scheduler.RunAsync(async () => await c.Desc.WaitAsync(PollMode.Read)))];
        Bounded.Until(() => _scheduler.AllIdle, "parked");
        all.ForEach(c => c.Peer.Send([1]));
        PollUntil(() => waits.All(w => w.IsCompleted));
        Assert.All(await Task.WhenAll(waits), r => Assert.Equal(PollResult.Ready, r));
    }
}

public sealed class EpollPollerTests : PollerContract
{
    private protected override INetPoller MakePoller()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "epoll is Linux's.");
        return new EpollPoller();
    }
}
