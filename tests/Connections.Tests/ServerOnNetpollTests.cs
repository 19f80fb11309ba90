using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>The server over NetGo's transport, and what is only there: handlers are goroutines.</summary>
public sealed class ServerOnNetpollTests : ServerContract
{
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(2);

    protected override IConnectionListenerFactory CreateFactory() => new NetpollTransportFactory(new NetpollTransportOptions { Scheduler = _scheduler });

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Task.Run(() =>
        {
            Bounded.NoneLeft(_scheduler);
            _scheduler.Dispose();
        });
    }

    [Fact]
    public async Task A_handler_is_a_goroutine_and_stays_one()
    {
        var schedulers = new List<GoScheduler?>();
        Server server = await StartAsync(async connection =>
        {
            Note();
            await connection.Transport.Input.ReadAsync();
            Note();
            await Task.Delay(1); // foreign
            Note();
            await Go.YieldAsync();
            Note();
            await connection.Transport.Output.WriteAsync(Bytes.Of("done"));

            void Note() => schedulers.Add(Machine.OfThisThread?.Scheduler);
        });
        Socket client = await ConnectAsync(server);
        await TransportHost.SendAsync(client, Bytes.Of("x"));
        Assert.Equal("done", await ReceiveTextAsync(client));
        Assert.Equal([_scheduler, _scheduler, _scheduler, _scheduler], schedulers);
        await server.StopAsync().Within();
    }

    [Fact]
    public async Task More_handlers_block_than_there_are_processors()
    {
        using var release = new ManualResetEventSlim();
        int blocked = 0;
        Server server = await StartAsync(async connection =>
        {
            if ((await connection.Transport.Input.ReadTextAsync()) == "block")
            {
                Interlocked.Increment(ref blocked);
                Assert.True(release.Wait(Bounded.Limit));
            }
            await connection.Transport.Output.WriteAsync(Bytes.Of("went on"));
        });
        var clients = new List<Socket>();
        for (int i = 0; i < 3 * _scheduler.MaxProcs; i++)
        {
            clients.Add(await ConnectAsync(server));
            await TransportHost.SendAsync(clients[i], Bytes.Of("block"));
        }
        Bounded.Until(() => Volatile.Read(ref blocked) == clients.Count, "all block");
        Socket free = await ConnectAsync(server);
        await TransportHost.SendAsync(free, Bytes.Of("free"));
        Assert.Equal("went on", await ReceiveTextAsync(free));
        release.Set();
        foreach (Socket client in clients)
            Assert.Equal("went on", await ReceiveTextAsync(client));
        await server.StopAsync().Within();
    }

    [Fact]
    public async Task Netpoll_is_what_a_server_is_on_that_names_no_transport()
    {
        bool onMachine = false;
        Server server = new ServerBuilder()
            .Listen(new IPEndPoint(IPAddress.Loopback, 0), connection => connection.Run(async context =>
            {
                onMachine = Machine.OfThisThread is not null;
                await EchoAsync(context);
            }))
            .UseNetpoll(options => options.Scheduler = _scheduler)
            .Build();
        await server.StartAsync().Within();
        await AssertEchoesAsync(await ConnectAsync(server), "x");
        Assert.True(onMachine);
        await server.StopAsync(new CancellationToken(true)).Within();
    }
}
