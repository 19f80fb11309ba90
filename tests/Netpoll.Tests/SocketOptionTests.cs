using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>What has been asked for is read back from the system, past the code that has set it.</summary>
public sealed class SocketOptionTests : DialFixture
{
    // netinet/tcp.h of Linux.
    private const int TcpDeferAccept = 9;
    private const int TcpFastOpen = 23;
    private const int TcpFastOpenConnect = 30;

    private static T With<T>(nint descriptor, Func<Socket, T> read)
    {
        using var handle = new SafeSocketHandle(descriptor, ownsHandle: false);
        using var socket = new Socket(handle);
        return read(socket);
    }

    private static int Raw(nint descriptor, SocketOptionLevel level, int name) => With(descriptor, socket =>
    {
        Span<byte> value = stackalloc byte[4];
        socket.GetRawSocketOption((int)level, name, value);
        return BitConverter.ToInt32(value);
    });

    private sealed record Seen(
        bool NoDelay,
        bool KeepAlive,
        int Idle,
        int Interval,
        int Count,
        int SendBuffer,
        int ReceiveBuffer,
        (bool On, int Seconds) Linger)
    {
        public static Seen Of(NetConnection connection) => With(connection.Descriptor, socket => new Seen(
            socket.NoDelay,
            (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)! != 0,
            (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!,
            (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval)!,
            (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)!,
            socket.SendBufferSize,
            socket.ReceiveBufferSize,
            (socket.LingerState!.Enabled, socket.LingerState.LingerTime)));
    }

    private static (ListenOptions Accepting, NetDialer Dialling) BothWith(Action<NetConnectionOptions> set)
    {
        var options = new ListenOptions { Shards = 1 };
        var dialer = new NetDialer();
        set(options);
        set(dialer);
        return (options, dialer);
    }

    // One connection, both of whose ends are ours.
    private async Task<(NetConnection Accepted, NetConnection Dialled)> ConnectAsync(
        ListenOptions? options = null, NetDialer? dialer = null)
    {
        options ??= new ListenOptions { Shards = 1 };
        NetListener listener = Opened(NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.Loopback, 0), options));
        NetConnection dialled = await Dial(dialer ?? new NetDialer(), listener.LocalEndPoint);
        NetConnection accepted = Opened((await Run(async () => await listener.AcceptAsync(0)))!);
        return (accepted, dialled);
    }

    private async Task<Seen[]> SeenByBothAsync(Action<NetConnectionOptions> set)
    {
        (ListenOptions options, NetDialer dialer) = BothWith(set);
        var (accepted, dialled) = await ConnectAsync(options, dialer);
        return [Seen.Of(accepted), Seen.Of(dialled)];
    }

    // ---- Both kinds ----

    [Fact]
    public async Task The_defaults_are_Gos()
    {
        Assert.All(await SeenByBothAsync(_ => { }), seen =>
        {
            Assert.True(seen.NoDelay);
            Assert.Equal((true, 15, 15, 9), (seen.KeepAlive, seen.Idle, seen.Interval, seen.Count));
            Assert.False(seen.Linger.On);
        });
    }

    [Fact]
    public async Task All_of_them_set()
    {
        var seen = await SeenByBothAsync(options =>
        {
            options.NoDelay = false;
            options.KeepAlive = new TcpKeepAlive
            {
                Idle = TimeSpan.FromSeconds(20.5),
                Interval = TimeSpan.FromMilliseconds(1),
                Count = 4,
            };
            options.SendBufferSize = 30_000;
            options.ReceiveBufferSize = 20_000;
            options.Linger = TimeSpan.FromSeconds(7);
        });
        // Linux doubles the sizes.
        Assert.All(seen, s => Assert.Equal(new Seen(false, true, 21, 1, 4, 60_000, 40_000, (true, 7)), s));
    }

    [Fact]
    public async Task Keep_alive_off_and_the_systems_own()
    {
        Assert.All(await SeenByBothAsync(options => options.KeepAlive = TcpKeepAlive.Off), seen => Assert.False(seen.KeepAlive));
        static int SystemHas(string name) =>
            int.Parse(File.ReadAllText($"/proc/sys/net/ipv4/tcp_keepalive_{name}"), CultureInfo.InvariantCulture);
        var own = new TcpKeepAlive { Idle = null, Interval = null, Count = null };
        var expected = (true, SystemHas("time"), SystemHas("intvl"), SystemHas("probes"));
        Assert.All(
            await SeenByBothAsync(options => options.KeepAlive = own),
            seen => Assert.Equal(expected, (seen.KeepAlive, seen.Idle, seen.Interval, seen.Count)));
    }

    [Fact]
    public async Task The_receive_buffer_is_there_when_the_window_is_agreed_upon()
    {
        // Set later, it would leave the scale that goes with the system's own buffer.
        (ListenOptions options, NetDialer dialer) = BothWith(o => o.ReceiveBufferSize = 20_000);
        var (accepted, dialled) = await ConnectAsync(options, dialer);
        Assert.Equal((0, 0), (WindowScale(accepted), WindowScale(dialled)));
        (accepted, dialled) = await ConnectAsync();
        Assert.True(WindowScale(accepted) > 0 && WindowScale(dialled) > 0);
    }

    // tcpi_rcv_wscale of struct tcp_info.
    private static int WindowScale(NetConnection connection) => With(connection.Descriptor, socket =>
    {
        const int TcpInfo = 11, ScalesOffset = 6, ReceiveShift = 4;
        Span<byte> info = stackalloc byte[104];
        socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info);
        return info[ScalesOffset] >> ReceiveShift;
    });

    [Fact]
    public void Values_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ListenOptions { SendBufferSize = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ListenOptions { ReceiveBufferSize = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ListenOptions { Linger = TimeSpan.FromTicks(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ListenOptions { Linger = TimeSpan.FromSeconds(32768) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ListenOptions { DeferAccept = TimeSpan.FromTicks(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ListenOptions { FastOpenQueueLength = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpKeepAlive { Idle = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpKeepAlive { Interval = TimeSpan.FromSeconds(32768) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpKeepAlive { Count = 128 });
    }

    // ---- Where nothing is inherited ----

    [Fact]
    public void An_accepted_socket_can_be_told_by_itself()
    {
        var (descriptor, peer) = SocketPair.Make();
        using (peer)
        {
            using var connection = new NetConnection(Scheduler, PollerSelection.For(Scheduler, 0), descriptor, default);
            var options = new ListenOptions { KeepAlive = new TcpKeepAlive { Idle = TimeSpan.FromSeconds(33) } };
            options.ApplyToAccepted(descriptor, connection.LocalEndPoint);
            Seen seen = Seen.Of(connection);
            Assert.Equal((true, 33), (seen.NoDelay, seen.Idle));
        }
    }

    // ---- Of listeners ----

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dual_mode(bool dual)
    {
        var options = new ListenOptions { DualMode = dual };
        NetListener listener = Opened(NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.IPv6Any, 0), options));
        int port = ((IPEndPoint)listener.LocalEndPoint).Port;
        await Dial(new NetDialer(), new IPEndPoint(IPAddress.IPv6Loopback, port));
        Task<NetConnection> v4 = Dial(new NetDialer(), new IPEndPoint(IPAddress.Loopback, port));
        if (!dual)
        {
            await Assert.ThrowsAsync<SocketException>(() => v4);
            return;
        }
        await v4;
        List<IPAddress> peers = [];
        for (int i = 0; i < 2; i++)
        {
            using NetConnection accepted = await Run(async () => await listener.AcceptAsync());
            peers.Add(((IPEndPoint)accepted.RemoteEndPoint).Address);
        }
        Assert.Contains(IPAddress.IPv6Loopback, peers);
        Assert.Contains(IPAddress.Parse("::ffff:127.0.0.1"), peers);
    }

    [Fact]
    public async Task Deferred_until_the_first_bytes_come()
    {
        var options = new ListenOptions { Shards = 1, DeferAccept = TimeSpan.FromSeconds(30) };
        NetListener listener = Opened(NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.Loopback, 0), options));
        Assert.True(Raw(listener.Shards[0].Descriptor, SocketOptionLevel.Tcp, TcpDeferAccept) >= 30);
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var speaks = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(listener.LocalEndPoint).Within();
        await speaks.ConnectAsync(listener.LocalEndPoint).Within();
        await speaks.SendAsync(new byte[1]).Within();
        using NetConnection? first = await Run(async () => await listener.AcceptAsync(0));
        Assert.Equal(((IPEndPoint)speaks.LocalEndPoint!).Port, ((IPEndPoint)first!.RemoteEndPoint).Port);
        await silent.SendAsync(new byte[1]).Within();
        using NetConnection? second = await Run(async () => await listener.AcceptAsync(0));
        Assert.Equal(((IPEndPoint)silent.LocalEndPoint!).Port, ((IPEndPoint)second!.RemoteEndPoint).Port);
    }

    [Fact]
    public async Task Fast_open()
    {
        var options = new ListenOptions { Shards = 1, FastOpenQueueLength = 77 };
        NetListener listener = Opened(NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.Loopback, 0), options));
        Assert.Equal(77, Raw(listener.Shards[0].Descriptor, SocketOptionLevel.Tcp, TcpFastOpen));
        var dialer = new NetDialer { FastOpen = true };
        // The first brings the cookie, where the server's side is on (net.ipv4.tcp_fastopen); from then on it is the first write
        // that connects.
        for (int i = 0; i < 3; i++)
        {
            using NetConnection connection = await Dial(dialer, listener.LocalEndPoint);
            Assert.Equal(1, Raw(connection.Descriptor, SocketOptionLevel.Tcp, TcpFastOpenConnect));
            Assert.Equal(listener.LocalEndPoint, connection.RemoteEndPoint);
            await Run(async () => await connection.WriteAsync(new byte[5]));
            using NetConnection? accepted = await Run(async () => await listener.AcceptAsync(0));
            Assert.Equal(5, await Run(async () => await accepted!.ReadAsync(new byte[10])));
        }
    }

    // ---- Of an open connection ----

    [Fact]
    public async Task Set_while_it_is_open()
    {
        var (connection, _) = await ConnectAsync();
        connection.NoDelay = false;
        Assert.False(connection.NoDelay);
        connection.SendBufferSize = 30_000;
        connection.ReceiveBufferSize = 20_000;
        Assert.Equal((60_000, 40_000), (connection.SendBufferSize, connection.ReceiveBufferSize));
        var keepAlive = new TcpKeepAlive { Idle = TimeSpan.FromSeconds(44), Interval = TimeSpan.FromSeconds(5), Count = 2 };
        connection.SetKeepAlive(keepAlive);
        connection.SetLinger(TimeSpan.FromSeconds(3));
        Assert.Equal(new Seen(false, true, 44, 5, 2, 60_000, 40_000, (true, 3)), Seen.Of(connection));
        connection.SetKeepAlive(TcpKeepAlive.Off);
        connection.SetLinger(null);
        Seen seen = Seen.Of(connection);
        Assert.Equal((false, false), (seen.KeepAlive, seen.Linger.On));
        Assert.Throws<ArgumentOutOfRangeException>(() => connection.SendBufferSize = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => connection.SetLinger(TimeSpan.FromTicks(-1)));
        connection.Close();
        Assert.Throws<ObjectDisposedException>(() => connection.NoDelay = true);
        Assert.Throws<ObjectDisposedException>(() => connection.SetLinger(null));
    }

    [Fact]
    public async Task A_Unix_socket_has_no_options_of_TCP()
    {
        var endPoint = new UnixDomainSocketEndPoint($"\0netgo-{Guid.NewGuid():N}");
        Socket listener = Opened(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        listener.Bind(endPoint);
        listener.Listen(1);
        var dialer = new NetDialer { KeepAlive = TcpKeepAlive.Default, FastOpen = true, SendBufferSize = 30_000 };
        NetConnection connection = await Dial(dialer, endPoint);
        Assert.Equal(60_000, connection.SendBufferSize);
        Assert.Throws<PlatformNotSupportedException>(() => connection.NoDelay = true);
    }

    // ---- Linger ----

    [Fact]
    public async Task Linger_of_zero_resets_the_peer()
    {
        var (accepted, dialled) = await ConnectAsync(dialer: new NetDialer { Linger = TimeSpan.Zero });
        dialled.Close();
        var e = await Assert.ThrowsAsync<IOException>(() => Run(async () => await accepted.ReadAsync(new byte[1])));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
    }

    [Theory]
    [InlineData("accepted")]
    [InlineData("dialled")]
    [InlineData("set")]
    public async Task A_close_that_lingers_blocks_nobody_else(string how)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        (ListenOptions options, NetDialer dialer) = BothWith(o => o.Linger = how == "set" ? null : TimeSpan.FromSeconds(60));
        var (accepted, dialled) = await ConnectAsync(options, dialer);
        (NetConnection connection, NetConnection peer) = how == "accepted" ? (accepted, dialled) : (dialled, accepted);
        if (how == "set")
            connection.SetLinger(TimeSpan.FromSeconds(60));
        peer.SetLinger(TimeSpan.Zero);
        SocketPair.Fill(connection.Descriptor);
        int port = ((IPEndPoint)connection.LocalEndPoint).Port;
        Task close = scheduler.RunAsync(() =>
        {
            connection.Close();
            return Task.CompletedTask;
        });
        Bounded.Until(() => IsInFinWait(port), "it is being closed");
        Task collection = Task.Run(static () => GC.Collect()); // waits for all threads that it may have to
        await collection.Within();
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within(); // the only processor
        Assert.False(close.IsCompleted);
        peer.Close(); // by a reset
        await close.Within();
        Bounded.NoneLeft(scheduler);
    }

    // proc_net_tcp(5): the second column is the local address, the fourth the state; 04 is FIN_WAIT1.
    private static bool IsInFinWait(int port) => File.ReadLines("/proc/net/tcp").Skip(1).Any(line =>
    {
        string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns[1].EndsWith($":{port:X4}", StringComparison.Ordinal) && columns[3] == "04";
    });
}
