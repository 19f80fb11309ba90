using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

// The events of sockets that listen, connect, end and are closed.
public abstract partial class PollerContract
{
    /// <summary>Why the error of a socket that has failed is gone once its event has come.</summary>
    private protected virtual string? WhyErrorsAreLost => null;

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private static Socket NewListener(int backlog = 100)
    {
        Socket listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        return listener;
    }

    private PollDesc Register(Socket socket)
    {
        _peers.Add(socket);
        return Register(socket.Handle);
    }

    private static Socket BeginConnect(EndPoint to)
    {
        Socket socket = NewSocket();
        socket.Blocking = false;
        SocketException pending = Assert.Throws<SocketException>(() => socket.Connect(to));
        Assert.True(pending.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress);
        return socket;
    }

    [Fact]
    public async Task A_listening_socket_wakes_its_reader_for_each_connection()
    {
        Socket listener = NewListener();
        listener.Blocking = false;
        PollDesc desc = Register(listener);
        for (int i = 0; i < 3; i++)
        {
            Task<PollResult> wait = WaitParked(desc, PollMode.Read);
            PollOnce(TimeSpan.Zero);
            Assert.False(wait.IsCompleted);
            using Socket peer = NewSocket();
            peer.Connect(listener.LocalEndPoint!);
            PollUntil(() => wait.IsCompleted);
            Assert.Equal(PollResult.Ready, await wait);
            listener.Accept().Dispose();
            Assert.False(desc.PeerClosed);
        }
    }

    [Fact]
    public async Task A_connection_that_is_made_wakes_the_writer()
    {
        using Socket listener = NewListener();
        PollDesc desc = Register(BeginConnect(listener.LocalEndPoint!));
        Task<PollResult> wait = WaitParked(desc, PollMode.Write);
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
        Assert.Equal(1, SocketPair.Write(_peers[^1].Handle, [1]));
        using Socket accepted = listener.Accept();
        Assert.Equal(1, accepted.Receive(new byte[10]));
    }

    [Fact]
    public async Task A_connection_that_is_made_after_the_wait_has_begun_wakes_the_writer()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a full backlog refuses, or is not that short.");
        using Socket listener = NewListener(backlog: 0); // room for one
        using Socket first = NewSocket();
        first.Connect(listener.LocalEndPoint!);
        PollDesc desc = Register(BeginConnect(listener.LocalEndPoint!));
        Task<PollResult> wait = WaitParked(desc, PollMode.Write);
        PollOnce(TimeSpan.FromMilliseconds(50));
        Assert.False(wait.IsCompleted);
        listener.Accept().Dispose();
        PollUntil(() => wait.IsCompleted); // the system tries again after a second
        Assert.Equal(PollResult.Ready, await wait);
        Assert.Equal(1, SocketPair.Write(_peers[^1].Handle, [1]));
    }

    [Fact]
    public async Task A_connection_that_is_refused_wakes_the_writer()
    {
        Socket socket = await ConnectRefusedAsync();
        Assert.NotEqual(1, SocketPair.Write(socket.Handle, [1]));
    }

    [Fact]
    public async Task The_error_of_a_connection_that_is_refused_is_there_after_its_event()
    {
        Assert.SkipWhen(WhyErrorsAreLost is not null, WhyErrorsAreLost ?? "");
        Socket socket = await ConnectRefusedAsync();
        object? error = socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error);
        Assert.Equal((int)SocketError.ConnectionRefused, error);
    }

    private async Task<Socket> ConnectRefusedAsync()
    {
        using Socket bound = NewSocket();
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Socket socket = BeginConnect(bound.LocalEndPoint!);
        PollDesc desc = Register(socket);
        Task<PollResult> wait = WaitParked(desc, PollMode.Write);
        PollUntil(() => wait.IsCompleted);
        Assert.Equal(PollResult.Ready, await wait);
        return socket;
    }

    [Fact]
    public async Task A_connection_that_is_reset_wakes_reader_and_writer()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        SocketPair.Fill(descriptor);
        PollOnce(TimeSpan.Zero);
        desc.TryConsumeReady(PollMode.Write);
        Task<PollResult> read = WaitParked(desc, PollMode.Read);
        Task<PollResult> write = WaitParked(desc, PollMode.Write);
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        PollUntil(() => read.IsCompleted && write.IsCompleted);
        Assert.Equal(PollResult.Ready, await read);
        Assert.Equal(PollResult.Ready, await write);
        Assert.NotEqual(1, SocketPair.Write(descriptor, [1]));
    }

    [Fact]
    public async Task A_peer_that_ends_its_stream_leaves_a_parked_writer_its_own()
    {
        var (descriptor, peer, desc) = MakeRegistered();
        long sent = SocketPair.Fill(descriptor);
        PollOnce(TimeSpan.Zero);
        desc.TryConsumeReady(PollMode.Write);
        Task<PollResult> write = WaitParked(desc, PollMode.Write);
        peer.Shutdown(SocketShutdown.Send);
        PollUntil(() => desc.PeerClosed);
        Bounded.Until(() => _scheduler.AllIdle, "parked again, or done");
        for (int vain = 0; write.IsCompleted; vain++) // Go's wakes it in vain, once
        {
            Assert.True(vain < 3, "woken in vain again and again");
            sent += SocketPair.Fill(descriptor);
            write = WaitParked(desc, PollMode.Write);
            PollOnce(TimeSpan.Zero);
        }
        byte[] buffer = new byte[1 << 20];
        while (sent > 0)
            sent -= peer.Receive(buffer);
        PollUntil(() => write.IsCompleted);
        Assert.Equal(PollResult.Ready, await write);
        Assert.Equal(1, SocketPair.Write(descriptor, [1]));
    }

    [Fact]
    public void An_end_that_comes_with_the_last_bytes_is_remembered()
    {
        Assert.SkipWhen(Wine.IsHere, "Wine tells of the end only when the bytes before it have been read.");
        var (descriptor, peer, desc) = MakeRegistered();
        PollOnce(TimeSpan.Zero);
        peer.Send([1]);
        peer.Shutdown(SocketShutdown.Send);
        PollUntil(() =>
        {
            _poller.Arm(desc, PollMode.Read); // what came before the end may have been an event of its own
            return desc.PeerClosed;
        });
        byte[] buffer = new byte[10];
        Assert.Equal(1, SocketPair.Read(descriptor, buffer));
        Assert.Equal(0, SocketPair.Read(descriptor, buffer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_descriptor_that_is_closed_has_no_events_any_more(bool pending)
    {
        var (descriptor, peer, desc) = MakeRegistered();
        PollUntil(() => desc.TryConsumeReady(PollMode.Write));
        Task<PollResult> read = WaitParked(desc, PollMode.Read);
        if (pending)
            peer.Send([1]);
        _poller.Unregister(descriptor, desc, shared: false);
        _descriptors.Remove(descriptor);
        _ = SystemSockets.Close(descriptor);
        if (!pending)
            peer.Send([1]);
        PollOnce(TimeSpan.FromMilliseconds(50));
        Assert.False(read.IsCompleted);
        Assert.False(desc.TryConsumeReady(PollMode.Write));
        desc.Evict();
        Assert.Equal(PollResult.Closing, await read.Within());
    }

    [Fact]
    public void A_descriptor_that_is_none_is_refused_and_not_counted()
    {
        Assert.SkipWhen(Wine.IsHere, "Wine has a base handle for whatever number it is asked for.");
        var (descriptor, peer) = SocketPair.Make();
        peer.Dispose();
        _ = SystemSockets.Close(descriptor);
        PollDesc desc = PollDescTable.Rent(_scheduler);
        _rented.Add(desc);
        Assert.Throws<SocketException>(() => _poller.Register(descriptor, desc));
        Assert.False(_poller.HasRegistrations);
    }
}
