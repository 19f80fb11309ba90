using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>Peers that end one direction, that do not read, and of whom nothing is heard any more.</summary>
public sealed class SilentPeers(ITestOutputHelper output)
{
    private const int Count = 100;

    private static byte[] Filled(int length, int id)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill((byte)id);
        return bytes;
    }

    private static async Task<int> ReadToEndAsync(NetConnection connection, int id)
    {
        byte[] buffer = new byte[4096];
        int total = 0;
        while (await connection.ReadAsync(buffer) is > 0 and int n)
        {
            Assert.Equal(-1, buffer.AsSpan(0, n).IndexOfAnyExcept((byte)id));
            total += n;
        }
        return total;
    }

    private static int ReceiveToEnd(Socket peer, int id)
    {
        byte[] buffer = new byte[4096];
        int total = 0;
        while (peer.Receive(buffer) is > 0 and int n)
        {
            Assert.Equal(-1, buffer.AsSpan(0, n).IndexOfAnyExcept((byte)id));
            total += n;
        }
        return total;
    }

    private static async Task<List<(NetConnection Connection, Socket Peer)>> ConnectAsync(Loopback net)
    {
        var all = new List<(NetConnection, Socket)>();
        for (int i = 0; i < Count; i++)
            all.Add(await net.ConnectAsync());
        return all;
    }

    // ---- Half-closed ----

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_one_side_sends_after_the_other_has_ended_arrives(bool peerEndsFirst)
    {
        const int Length = 300_000; // more than the system's buffers hold at first
        Leftovers left = await Leftovers.CountAsync();
        using (var net = new Loopback(2, 2))
        {
            var all = await ConnectAsync(net);
            Task<int>[] ends = [.. all.Select((c, id) => net.Scheduler.RunAsync(async () =>
            {
                using NetConnection connection = c.Connection;
                if (!peerEndsFirst)
                    connection.CloseWrite();
                int read = await ReadToEndAsync(connection, id);
                if (peerEndsFirst)
                    await connection.WriteAsync(Filled(Length, id));
                return read;
            }))];
            for (int id = 0; id < Count; id++)
            {
                Socket peer = all[id].Peer;
                if (peerEndsFirst)
                    peer.Shutdown(SocketShutdown.Send);
                int received = ReceiveToEnd(peer, id);
                if (!peerEndsFirst)
                    peer.Send(Filled(Length, id));
                peer.Shutdown(SocketShutdown.Both);
                Assert.Equal(peerEndsFirst ? Length : 0, received);
                Assert.Equal(peerEndsFirst ? 0 : Length, await ends[id].Within());
            }
        }
        left.None();
    }

    // ---- Not reading ----

    [Fact]
    public async Task A_deadline_ends_the_write_to_a_peer_that_does_not_read()
    {
        Leftovers left = await Leftovers.CountAsync();
        using (var net = new Loopback(2, 2))
        {
            var all = await ConnectAsync(net);
            byte[] much = new byte[16 << 20];
            Task[] writes = [.. all.Select((c, i) => net.Scheduler.RunAsync(async () =>
            {
                using NetConnection connection = c.Connection;
                connection.SetWriteDeadline(TimeSpan.FromMilliseconds(100 + i));
                await Assert.ThrowsAsync<TimeoutException>(async () => await connection.WriteAsync(much));
                // It stays passed, and the other direction is not concerned.
                await Assert.ThrowsAsync<TimeoutException>(async () => await connection.WriteAsync(new byte[1]));
                c.Peer.Send([1]);
                Assert.Equal(1, await connection.ReadAsync(new byte[1]));
                if (i % 2 == 0)
                    connection.Abort();
            }))];
            await Task.WhenAll(writes).Within();
        }
        left.None();
    }

    // ---- Vanished ----

    /// <summary>A server on side 0 of a network and peers on side 1, connected while all is well.</summary>
    private static async Task<List<(NetConnection Connection, Socket Peer)>> ConnectAsync(VirtualNetwork network, GoScheduler scheduler, int count)
    {
        using NetListener listener = network.In(0, () => NetListener.Listen(scheduler, new IPEndPoint(VirtualNetwork.AddressOf(0), 0), null));
        var all = new List<(NetConnection, Socket)>();
        for (int i = 0; i < count; i++)
        {
            Socket peer = network.In(1, () =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Connect(listener.LocalEndPoint);
                return socket;
            });
            all.Add((await listener.AcceptAsync().AsTask().Within(), peer));
        }
        return all;
    }

    private static void Close(List<(NetConnection Connection, Socket Peer)> all)
    {
        foreach ((NetConnection connection, Socket peer) in all)
        {
            connection.Close();
            peer.LingerState = new LingerOption(true, 0);
            peer.Dispose();
        }
    }

    [Theory]
    [InlineData("pulled out")]
    [InlineData("all lost")]
    [InlineData("slow")]
    public async Task Deadlines_end_what_waits_for_peers_that_have_vanished(string how)
    {
        Leftovers left = await Leftovers.CountAsync();
        using (VirtualNetwork network = VirtualNetwork.Make())
        using (GoScheduler scheduler = Bounded.NewScheduler(2))
        {
            var all = await ConnectAsync(network, scheduler, 20);
            switch (how)
            {
                case "pulled out":
                    network.PullOut();
                    break;
                case "all lost":
                    network.Lose(100);
                    break;
                default:
                    network.SlowDown("1mbit");
                    break;
            }
            byte[] much = new byte[16 << 20];
            var ends = new List<Task>();
            foreach ((NetConnection connection, _) in all)
            {
                connection.SetReadDeadline(TimeSpan.FromMilliseconds(150));
                connection.SetWriteDeadline(TimeSpan.FromMilliseconds(200));
                ends.Add(scheduler.RunAsync(async () =>
                    await Assert.ThrowsAsync<TimeoutException>(async () => await connection.ReadAsync(new byte[1]))));
                ends.Add(scheduler.RunAsync(async () =>
                    await Assert.ThrowsAsync<TimeoutException>(async () => await connection.WriteAsync(much))));
            }
            await Task.WhenAll(ends).Within();
            Close(all);
            Bounded.NoneLeft(scheduler);
        }
        left.None();
    }

    [Fact]
    public async Task A_connection_outlives_a_partition_that_ends_before_its_deadline()
    {
        Leftovers left = await Leftovers.CountAsync();
        using (VirtualNetwork network = VirtualNetwork.Make())
        using (GoScheduler scheduler = Bounded.NewScheduler(2))
        {
            var all = await ConnectAsync(network, scheduler, 20);
            network.PullOut();
            Task<int>[] reads = [.. all.Select((c, id) => scheduler.RunAsync(async () =>
            {
                c.Connection.SetDeadline(DateTimeOffset.UtcNow + Bounded.Limit);
                await c.Connection.WriteAsync(Filled(1000, id));
                c.Connection.CloseWrite();
                return await ReadToEndAsync(c.Connection, id);
            }))];
            Bounded.Until(() => scheduler.AllIdle, "they wait");
            network.PlugIn();
            for (int id = 0; id < all.Count; id++)
            {
                Socket peer = all[id].Peer;
                Assert.Equal(1000, ReceiveToEnd(peer, id));
                peer.Send(Filled(2000, id));
                peer.Shutdown(SocketShutdown.Send);
                Assert.Equal(2000, await reads[id].Within());
            }
            Close(all);
            Bounded.NoneLeft(scheduler);
        }
        left.None();
    }

    // Each exchange gets through, or its deadline passes; what gets through is right.
    [Fact]
    public async Task A_network_that_loses_a_third_of_all_packets()
    {
        const int Exchanges = 10, Length = 3000;
        Leftovers left = await Leftovers.CountAsync();
        using (VirtualNetwork network = VirtualNetwork.Make())
        using (GoScheduler scheduler = Bounded.NewScheduler(2))
        {
            var all = await ConnectAsync(network, scheduler, 40);
            network.Lose(30);
            int exchanges = 0, ended = 0;
            Task[] servers = [.. all.Select((c, id) => scheduler.RunAsync(async () =>
            {
                using NetConnection connection = c.Connection;
                byte[] buffer = new byte[Length];
                try
                {
                    for (int i = 0; i < Exchanges; i++)
                    {
                        connection.SetDeadline(DateTimeOffset.UtcNow + TimeSpan.FromSeconds(2));
                        await connection.WriteAsync(Filled(Length, id + i));
                        for (int at = 0; at < Length;)
                        {
                            int n = await connection.ReadAsync(buffer.AsMemory(at));
                            Assert.True(n > 0, "The peer has ended.");
                            at += n;
                        }
                        Assert.Equal(-1, buffer.AsSpan().IndexOfAnyExcept((byte)(id + i)));
                        Interlocked.Increment(ref exchanges);
                    }
                }
                catch (TimeoutException)
                {
                    Interlocked.Increment(ref ended);
                    connection.Abort();
                }
            }))];
            Task[] peers = [.. all.Select(c => Task.Run(async () =>
            {
                byte[] buffer = new byte[Length];
                while (await c.Peer.ReceiveAsync(buffer) is > 0 and int n)
                    await c.Peer.SendAsync(buffer.AsMemory(0, n));
            }))];
            await Task.WhenAll(servers).WaitAsync(Exchanges * TimeSpan.FromSeconds(2) + Bounded.Limit);
            output.WriteLine($"{exchanges} exchanges, {ended} ended by their deadline");
            Assert.True(exchanges > 0);
            Close(all);
            await Task.WhenAll(peers).ContinueWith(static t => _ = t.Exception).Within(); // some were reset
            Bounded.NoneLeft(scheduler);
        }
        left.None();
    }
}
