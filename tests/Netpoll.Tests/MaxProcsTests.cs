using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>Connections whose processor is taken away, and given back.</summary>
public sealed class MaxProcsTests
{
    [Fact]
    public async Task Connections_live_on_whatever_becomes_of_their_processor()
    {
        using var net = new Loopback(processors: 4, shards: 4);
        var connections = new List<(NetConnection Connection, Socket Peer)>();
        for (int i = 0; i < 40; i++)
            connections.Add(await net.ConnectAsync());
        Task echo = Task.WhenAll(connections.Select(c => net.Scheduler.RunAsync(async () =>
        {
            byte[] buffer = new byte[100];
            while (await c.Connection.ReadAsync(buffer) is > 0 and int n)
                await c.Connection.WriteAsync(buffer.AsMemory(0, n));
        })));
        int[] counts = [1, 4, 2, 1, 3, 8, 1];
        for (int round = 0; round < 30; round++)
        {
            net.Scheduler.MaxProcs = counts[round % counts.Length];
            await EchoAllAsync();
            connections.Add(await net.ConnectAsync()); // and new ones are accepted
            NetConnection added = connections[^1].Connection;
            byte[] hello = [1, 2, 3];
            Task<int> read = net.Scheduler.RunAsync(async () => await added.ReadAsync(new byte[10]));
            await connections[^1].Peer.SendAsync(hello);
            Assert.Equal(3, await read.Within());
            added.Dispose();
            connections.RemoveAt(connections.Count - 1);
        }
        foreach ((_, Socket peer) in connections)
            peer.Shutdown(SocketShutdown.Send);
        await echo.Within();

        async Task EchoAllAsync()
        {
            byte[] sent = [7, 8];
            foreach ((_, Socket peer) in connections)
                await peer.SendAsync(sent);
            byte[] got = new byte[2];
            foreach ((_, Socket peer) in connections)
            {
                Assert.Equal(2, await peer.ReceiveAsync(got).WaitAsync(Bounded.Limit));
                Assert.Equal(sent, got);
            }
        }
    }

    [Fact]
    public async Task A_processor_that_comes_before_the_network_gets_its_poller_with_the_others()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.MaxProcs = 3;
        scheduler.MaxProcs = 1;
        foreach (Processor p in scheduler.AllProcessors[1..])
            Bounded.Until(() => p.Phase == ProcessorPhase.Retired, "gone");
        using NetListener listener = NetListener.Listen(scheduler, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0), null);
        scheduler.MaxProcs = 3;
        Assert.All(scheduler.Processors.ToArray(), p => Assert.NotNull(p.AttachedPoller));
        using var peer = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(listener.LocalEndPoint).Within();
        using NetConnection connection = await listener.AcceptAsync().AsTask().Within();
        listener.Close();
        Bounded.NoneLeft(scheduler);
    }
}
