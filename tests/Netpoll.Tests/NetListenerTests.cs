using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

public sealed class NetListenerTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    public async Task A_thousand_connections(int processors, int shards)
    {
        LibkqueueLimits.SkipWhereEventsAreLost();
        using var net = new Loopback(processors, shards);
        Assert.Equal(SystemSockets.CanShareAddress ? shards : 1, net.Listener.ShardCount);
        const int Count = 1000;
        Task serve = net.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                NetConnection connection = await net.Listener.AcceptAsync();
                Go.Spawn(async () =>
                {
                    using (connection)
                    {
                        byte[] buffer = new byte[16];
                        while (await connection.ReadAsync(buffer) is > 0 and int n)
                            await connection.WriteAsync(buffer.AsMemory(0, n));
                    }
                });
            }
        });
        Socket[] peers = [.. Enumerable.Range(0, Count).Select(_ => net.NewSocket())];
        foreach (Socket peer in peers)
            await peer.ConnectAsync(net.Listener.LocalEndPoint).Within();
        await serve;
        for (int i = 0; i < Count; i++)
            await peers[i].SendAsync(BitConverter.GetBytes(i));
        for (int i = 0; i < Count; i++)
        {
            byte[] answer = new byte[4];
            Assert.Equal(4, await peers[i].ReceiveAsync(answer).Within());
            Assert.Equal(i, BitConverter.ToInt32(answer));
            peers[i].Dispose();
        }
        net.Listener.Close();
        Bounded.NoneLeft(net.Scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_address_in_use_is_an_error(int shards)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        var options = new ListenOptions { Shards = shards };
        using NetListener first = NetListener.Listen(scheduler, new IPEndPoint(IPAddress.Loopback, 0), options);
        Assert.NotEqual(0, ((IPEndPoint)first.LocalEndPoint).Port);
        var e = Assert.Throws<SocketException>(() => NetListener.Listen(scheduler, first.LocalEndPoint, options));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        first.Close();
        NetListener.Listen(scheduler, first.LocalEndPoint, options).Close();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_address_that_its_user_would_share_is_in_use_too(int shards)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "SO_REUSEPORT, as Linux has it");
        const int SolSocket = 1, ReusePort = 15;
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        using var user = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        user.SetRawSocketOption(SolSocket, ReusePort, BitConverter.GetBytes(1));
        user.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        user.Listen();
        var e = Assert.Throws<SocketException>(() =>
            NetListener.Listen(scheduler, (IPEndPoint)user.LocalEndPoint!, new ListenOptions { Shards = shards }));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_ends_Accept_now_and_later(bool onGoroutine)
    {
        using var net = new Loopback(2, 2);
        Task accept = onGoroutine
            ? net.Run(async () => await net.Listener.AcceptAsync())
            : Task.Run(async () => await net.Listener.AcceptAsync()).Within();
        int goroutines = net.Listener.ShardCount + (onGoroutine ? 1 : 0); // a pump for each shard, and who waits
        Bounded.Until(() => net.Scheduler.GoroutineCount >= goroutines && net.Scheduler.AllIdle, "parked");
        net.Listener.Close();
        net.Listener.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => accept);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => net.Listener.AcceptAsync().AsTask().Within());
        Bounded.NoneLeft(net.Scheduler);
        // Under Wine the system's own close may come a moment later.
        Bounded.Until(() => IsRefused(net), "nobody listens");
    }

    private static bool IsRefused(Loopback net)
    {
        using Socket peer = net.NewSocket();
        try
        {
            peer.Connect(net.Listener.LocalEndPoint);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    [Fact]
    public async Task Accept_after_a_close_before_any_accept()
    {
        using var net = new Loopback(2, 2);
        net.Listener.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => net.Listener.AcceptAsync().AsTask().Within());
    }

    [Fact]
    public async Task Accept_can_be_cancelled()
    {
        using var net = new Loopback();
        using var source = new CancellationTokenSource();
        Task accept = net.Run(async () => await net.Listener.AcceptAsync(source.Token));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accept);
        await net.ConnectAsync();
    }

    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1")]
    [InlineData("localhost:0", "127.0.0.1")]
    [InlineData("[::1]:0", "::1")]
    public void Addresses(string address, string expected)
    {
        using NetListener listener = NetListener.Listen(address);
        var local = (IPEndPoint)listener.LocalEndPoint;
        Assert.Equal(IPAddress.Parse(expected), local.Address);
        Assert.NotEqual(0, local.Port);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("::1:80")]
    [InlineData("nowhere:80")]
    [InlineData("[::1:80")]
    public void What_is_no_address(string address)
    {
        Assert.Throws<FormatException>(() => NetListener.Listen(address));
    }
}
