using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>Dialling one address. Names are in HappyEyeballsTests.</summary>
public sealed class NetDialerTests : DialFixture
{
    private const string NoUnixSockets = "This system has no Unix sockets.";

    private static readonly NetDialer s_plain = new();

    // ---- What can be dialled ----

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1:{0}")]
    [InlineData("127.0.0.3", "127.0.0.3:{0}")]
    [InlineData("::1", "[::1]:{0}")]
    [InlineData("127.0.0.1", "[::ffff:127.0.0.1]:{0}")]
    [InlineData("127.0.0.1", "localhost:{0}")]
    [InlineData("127.0.0.1", ":{0}")]
    public async Task Ip_addresses_and_names(string listen, string dial)
    {
        Socket listener = Listen(listen, "::1", "127.0.0.1");
        string address = string.Format(null, dial, PortOf(listener));
        NetConnection connection = await Run(async () => Opened(await NetConnection.DialAsync(address)));
        Socket peer = await ExchangeAsync(listener, connection);
        Assert.Equal(listener.LocalEndPoint, connection.RemoteEndPoint);
        Assert.Equal(peer.RemoteEndPoint, connection.LocalEndPoint);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unix_sockets(bool isAbstract)
    {
        Assert.SkipUnless(Socket.OSSupportsUnixDomainSockets, NoUnixSockets);
        Assert.SkipUnless(OperatingSystem.IsLinux() || !isAbstract, "Abstract names are Linux's.");
        string name = isAbstract ? $"netgo-{Guid.NewGuid():N}" : Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}");
        Socket listener = Opened(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        listener.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : name));
        listener.Listen(16);
        try
        {
            string address = isAbstract ? $"unix:@{name}" : $"unix:{name}";
            NetConnection connection = await Run(async () => Opened(await NetConnection.DialAsync(address)));
            Socket peer = await ExchangeAsync(listener, connection);
            Assert.Equal(listener.LocalEndPoint!.ToString(), connection.RemoteEndPoint.ToString());
            peer.Dispose();
            Assert.Equal(0, await Run(async () => await connection.ReadAsync(new byte[1])));
        }
        finally
        {
            File.Delete(name);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("localhost:")]
    [InlineData("localhost:http")]
    [InlineData("localhost:65536")]
    [InlineData("localhost:-1")]
    [InlineData("localhost:+1")]
    [InlineData("::1:80")]
    [InlineData("[::1]")]
    [InlineData("[::1:80")]
    [InlineData("[127.0.0.1]:80")]
    [InlineData("[localhost]:80")]
    [InlineData("unix:")]
    public async Task What_is_no_address(string address)
    {
        await Assert.ThrowsAsync<FormatException>(async () => await NetConnection.DialAsync(address));
    }

    [Fact]
    public async Task An_end_point_of_another_kind_is_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await s_plain.DialAsync(new OtherEndPoint()));
    }

    private sealed class OtherEndPoint : EndPoint
    {
    }

    [Fact]
    public void Times_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetDialer { Timeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetDialer { Timeout = TimeSpan.MaxValue });
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetDialer { FallbackDelay = TimeSpan.MaxValue });
        Assert.Equal(Timeout.InfiniteTimeSpan, new NetDialer { Timeout = Timeout.InfiniteTimeSpan }.Timeout);
    }

    // ---- From where ----

    [Fact]
    public async Task From_an_address_of_ones_own_choice()
    {
        Socket listener = Listen("127.0.0.1");
        var dialer = new NetDialer { LocalEndPoint = IPEndPoint.Parse("127.0.0.2:0") };
        await Dial(dialer, listener.LocalEndPoint!);
        Socket peer = Opened(await listener.AcceptAsync().Within());
        Assert.Equal(IPAddress.Parse("127.0.0.2"), ((IPEndPoint)peer.RemoteEndPoint!).Address);
    }

    [Fact]
    public async Task From_an_address_that_is_not_ours()
    {
        var dialer = new NetDialer { LocalEndPoint = IPEndPoint.Parse("192.0.2.1:0") };
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, IPEndPoint.Parse("127.0.0.1:1")));
        Assert.Equal(SocketError.AddressNotAvailable, e.SocketErrorCode);
        Assert.Contains("192.0.2.1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_connection_lives_on_the_processor_that_dials()
    {
        Socket listener = Listen("127.0.0.1");
        using GoScheduler scheduler = Bounded.NewScheduler(4);
        bool[] seen = new bool[4];
        for (int round = 0; round < 100 && seen.Count(s => s) < 2; round++)
            await DialFromManyAsync();
        Assert.True(seen.Count(s => s) > 1, "more than one processor has dialled");
        Bounded.NoneLeft(scheduler);

        Task DialFromManyAsync() => Task.WhenAll(Enumerable.Range(0, 200).Select(_ => scheduler.RunAsync(async () =>
        {
            int before = CurrentProcessor();
            ValueTask<NetConnection> dial = s_plain.DialAsync(listener.LocalEndPoint!);
            int after = CurrentProcessor();
            using NetConnection connection = await dial;
            if (before != after || before < 0)
                return; // the processor was taken from it, in between or before it dialled
            Assert.Same(PollerSelection.For(scheduler, before), connection.Poller);
            Volatile.Write(ref seen[before], true);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        }))).Within();

        static int CurrentProcessor()
        {
            Machine machine = Machine.OfThisThread!;
            int index = machine.Pin(out int previous)?.Index ?? -1;
            machine.Unpin(previous);
            return index;
        }
    }

    [Fact]
    public async Task From_a_thread_that_runs_no_goroutine()
    {
        Socket listener = Listen("127.0.0.1");
        NetConnection connection = await Task.Run(async () =>
        {
            NetConnection dialled = Opened(await s_plain.DialAsync(listener.LocalEndPoint!));
            Assert.Null(Machine.OfThisThread);
            return dialled;
        }).Within();
        Assert.Same(GoScheduler.Default, connection.Scheduler);
        await ExchangeAsync(listener, connection);
    }

    // ---- How it fails ----

    [Fact]
    public async Task Nobody_listens()
    {
        int port = UnusedPort();
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(s_plain, new IPEndPoint(IPAddress.Loopback, port)));
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
        Assert.Contains($"127.0.0.1:{port}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_no_such_Unix_socket()
    {
        Assert.SkipUnless(Socket.OSSupportsUnixDomainSockets, NoUnixSockets);
        string missing = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}");
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(s_plain, new UnixDomainSocketEndPoint(missing)));
        Assert.Contains(missing, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_answers_in_time()
    {
        Blackhole blackhole = Opened(new Blackhole("127.0.0.1"));
        var dialer = new NetDialer { Timeout = TimeSpan.FromMilliseconds(30) };
        var e = await Assert.ThrowsAsync<TimeoutException>(() => Dial(dialer, blackhole.EndPoint));
        Assert.Contains($"{blackhole.EndPoint}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deadline_that_was_met_is_none_of_the_connection()
    {
        Socket listener = Listen("127.0.0.1");
        NetConnection connection = await Dial(new NetDialer { Timeout = TimeSpan.FromSeconds(1) }, listener.LocalEndPoint!);
        Task write = Run(async () => await connection.WriteAsync(new byte[64 << 20])); // more than the system takes
        await Run(async () => await Go.SleepAsync(TimeSpan.FromSeconds(1.1)));
        Assert.False(write.IsCompleted);
        connection.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => write);
    }

    [Fact]
    public async Task Cancelled_while_it_waits_and_before()
    {
        Blackhole blackhole = Opened(new Blackhole("127.0.0.1"));
        for (int i = 0; i < 20; i++)
        {
            using var source = new CancellationTokenSource();
            int sockets = OpenSockets.Count;
            Task dial = DialParked(s_plain, blackhole.EndPoint, source.Token);
            Assert.True(OpenSockets.Are(sockets + 1), $"{OpenSockets.Count} sockets, {sockets} before");
            await source.CancelAsync();
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
            Assert.Equal(source.Token, e.CancellationToken);
            Assert.True(OpenSockets.Are(sockets), $"{OpenSockets.Count} sockets, {sockets} before");
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Dial(s_plain, blackhole.EndPoint, source.Token));
        }
    }

    [Fact]
    public async Task An_answer_that_comes_late_is_taken()
    {
        Blackhole blackhole = Opened(new Blackhole("127.0.0.1"));
        Task<NetConnection> dial = DialParked(s_plain, blackhole.EndPoint);
        blackhole.Open();
        Assert.Equal(blackhole.EndPoint, (await dial).RemoteEndPoint);
    }

    [Fact]
    public async Task An_event_for_nothing_does_not_make_it_connected()
    {
        Blackhole blackhole = Opened(new Blackhole("127.0.0.1"));
        using INetPoller poller = OperatingSystem.IsWindows() ? new IocpPoller() : new EpollPoller(); // polled by hand
        nint socket = SystemSockets.Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp, out _);
        using var connection = new NetConnection(Scheduler, poller, socket, default);
        SocketAddress serialized = blackhole.EndPoint.Serialize();
        Memory<byte> address = serialized.Buffer[..serialized.Size];
        var connect = Run(async () => await connection.ConnectAsync(address, long.MaxValue, CancellationToken.None));
        GoroutineQueue ready = default;
        for (int i = 0; i < 5; i++)
        {
            Bounded.Until(() => Scheduler.AllIdle, "parked");
            connection.Desc.EventCame(PollMode.Write, ref ready);
            Assert.Equal(1, ready.Count);
            Scheduler.EnqueueGlobal(ref ready);
        }
        Bounded.Until(() => Scheduler.AllIdle, "parked");
        Assert.False(connect.IsCompleted);
        blackhole.Open();
        for (int i = 0; i < 100 && ready.Count == 0; i++)
            poller.Poll(100_000_000, ref ready);
        Scheduler.EnqueueGlobal(ref ready);
        Assert.Equal((PollResult.Ready, 0), await connect);
    }

    // ---- What the system does ----

    [Fact]
    public async Task A_Unix_socket_whose_listener_is_full_waits_until_there_is_room()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Abstract names, and a listener that lets others wait, are Linux's.");
        var endPoint = new UnixDomainSocketEndPoint($"\0netgo-{Guid.NewGuid():N}");
        Socket listener = Opened(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        listener.Bind(endPoint);
        listener.Listen(0); // room for one
        await Dial(s_plain, endPoint);
        var impatient = new NetDialer { Timeout = TimeSpan.FromMilliseconds(30) };
        await Assert.ThrowsAsync<TimeoutException>(() => Dial(impatient, endPoint));
        using var source = new CancellationTokenSource();
        Task cancelled = DialParked(s_plain, endPoint, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Task<NetConnection> dial = DialParked(s_plain, endPoint);
        Opened(await listener.AcceptAsync().Within());
        await ExchangeAsync(listener, await dial);
    }

    // IP_LOCAL_PORT_RANGE of Linux 6.3: the system has one port to choose from.
    private static bool CanChooseFrom => OperatingSystem.IsLinux() && Environment.OSVersion.Version >= new Version(6, 3);

    private static bool CanConnectFrom(int port, Socket listener)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        ChooseFrom(probe.Handle, port);
        try
        {
            probe.Connect(listener.LocalEndPoint!);
            probe.LingerState = new LingerOption(true, 0); // a reset leaves the port free
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void ChooseFrom(nint socket, int port)
    {
        const int IpProtoIp = 0, IpLocalPortRange = 51;
        using var safe = new SafeSocketHandle(socket, ownsHandle: false);
        using var s = new Socket(safe);
        s.SetRawSocketOption(IpProtoIp, IpLocalPortRange, BitConverter.GetBytes(port | (port << 16)));
    }

    [Fact]
    public async Task A_connection_to_itself_is_a_refusal()
    {
        Assert.SkipUnless(CanChooseFrom, "Needs IP_LOCAL_PORT_RANGE, of Linux 6.3.");
        int port, attempts, tries = 0;
        SocketException e;
        do
        {
            // Another test may bind the port in between, and nobody can connect from it then: that is no attempt of this test.
            port = UnusedPort();
            attempts = 0;
            var dialer = new NetDialer
            {
                Control = socket =>
                {
                    attempts++;
                    ChooseFrom(socket, port);
                },
            };
            e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, new IPEndPoint(IPAddress.Loopback, port)));
        }
        while (e.SocketErrorCode == SocketError.AddressNotAvailable && ++tries < 100);
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
        Assert.Equal(3, attempts);
        // And nothing is left of it that would keep the port.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.ExclusiveAddressUse = true;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
    }

    [Fact]
    public async Task Who_asks_for_a_connection_to_itself_gets_it()
    {
        var self = new IPEndPoint(IPAddress.Loopback, UnusedPort());
        NetConnection connection = await Dial(new NetDialer { LocalEndPoint = self }, self);
        Assert.Equal(connection.LocalEndPoint, connection.RemoteEndPoint);
        connection.Abort(); // for the port
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_port_that_is_taken_has_the_system_choose_again_twice(int freeAt)
    {
        Assert.SkipUnless(CanChooseFrom, "Needs IP_LOCAL_PORT_RANGE, of Linux 6.3.");
        Socket listener = Listen("127.0.0.1");
        Socket taken = Listen("127.0.0.2", "127.0.0.1");
        int free = UnusedPort(), attempts = 0;
        // A port that was bound just now is kept by the connections of other tests that are in TIME_WAIT there.
        for (int i = 0; i < 100 && !CanConnectFrom(free, listener); i++)
            free = UnusedPort();
        var dialer = new NetDialer { Control = socket => ChooseFrom(socket, ++attempts >= freeAt ? free : PortOf(taken)) };
        Task<NetConnection> dial = Dial(dialer, listener.LocalEndPoint!);
        if (freeAt <= 3)
        {
            Assert.Equal(free, ((IPEndPoint)(await dial).LocalEndPoint).Port);
        }
        else
        {
            var e = await Assert.ThrowsAsync<SocketException>(() => dial);
            Assert.Equal(SocketError.AddressNotAvailable, e.SocketErrorCode);
        }
        Assert.Equal(Math.Min(freeAt, 3), attempts);
    }
}
