using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>The addresses of both ends: made only when somebody asks, and there when the peer is gone.</summary>
public sealed class EndPointTests
{
    [Fact]
    public async Task Accepting_makes_no_end_point()
    {
        const int Count = 32; // fewer than what makes a goroutine give way
        using var net = new Loopback();
        var connections = new NetConnection[Count];
        long accepting = long.MaxValue, making = 0;
        for (int attempt = 0; attempt < 20 && accepting != making; attempt++) // the first calls compile
        {
            Socket[] peers = [.. Enumerable.Range(0, Count).Select(_ => net.NewSocket())];
            foreach (Socket peer in peers)
                await peer.ConnectAsync(net.LocalEndPoint).Within(); // then they wait to be accepted
            (accepting, making) = await net.Run(async () =>
            {
                INetPoller poller = PollerSelection.For(net.Scheduler, 0);
                int thread = Environment.CurrentManagedThreadId;
                long start = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < Count; i++)
                    connections[i] = (await net.Listener.AcceptAsync(0))!;
                long accepted = GC.GetAllocatedBytesForCurrentThread();
                var alone = new NetConnection(net.Scheduler, poller, -1, default);
                long made = GC.GetAllocatedBytesForCurrentThread();
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                alone.Close();
                return (accepted - start, (made - accepted) * Count);
            });
            foreach (NetConnection connection in connections)
                connection.Close();
        }
        Assert.Equal(making, accepting);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task The_remote_one_is_known_when_the_peer_has_reset_the_connection(string address)
    {
        using var net = new Loopback(address: IPAddress.Parse(address));
        var (connection, peer) = await net.ConnectAsync();
        EndPoint expected = peer.LocalEndPoint!;
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[1]));
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        await Assert.ThrowsAsync<IOException>(() => read);
        Assert.Equal(expected, connection.RemoteEndPoint);
        Assert.Equal(net.LocalEndPoint, connection.LocalEndPoint);
        connection.Close();
        Assert.Same(connection.RemoteEndPoint, connection.RemoteEndPoint);
    }

    [Fact]
    public async Task The_remote_one_is_known_after_a_close()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        connection.Close();
        Assert.Equal(peer.LocalEndPoint, connection.RemoteEndPoint);
    }
}
