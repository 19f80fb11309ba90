using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections.Tests;

/// <summary>What a <see cref="Server"/> promises, whatever the transport is.</summary>
public abstract class ServerContract : IAsyncDisposable
{
    private static readonly IPEndPoint s_anyPort = new(IPAddress.Loopback, 0);

    private readonly MemoryLogger _log = new();
    private readonly List<Socket> _clients = [];

    protected abstract IConnectionListenerFactory CreateFactory();

    public virtual ValueTask DisposeAsync()
    {
        foreach (Socket client in _clients)
            client.Dispose();
        GC.SuppressFinalize(this);
        return default;
    }

    protected ServerBuilder NewBuilder(IConnectionListenerFactory? factory = null)
    {
        IServiceProvider services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(new MemoryLoggerFactory(_log))
            .AddSingleton(new Greeting("Hello"))
            .BuildServiceProvider();
        return new ServerBuilder(services) { ShutdownTimeout = Bounded.Limit }.UseTransport(factory ?? CreateFactory());
    }

    protected static ServerBuilder ListenOn(ServerBuilder builder, Func<ConnectionContext, Task> handler) =>
        builder.Listen(s_anyPort, connection => connection.Run(handler));

    protected static async Task<Server> StartAsync(ServerBuilder builder)
    {
        Server server = builder.Build();
        await server.StartAsync().Within();
        return server;
    }

    protected Task<Server> StartAsync(Func<ConnectionContext, Task> handler) => StartAsync(ListenOn(NewBuilder(), handler));

    protected static Task EchoAsync(ConnectionContext connection) => connection.Transport.Input.CopyToAsync(connection.Transport.Output);

    protected async Task<Socket> ConnectAsync(Server server, int endPoint = 0)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _clients.Add(client);
        await client.ConnectAsync(server.EndPoints[endPoint]);
        return client;
    }

    protected static async Task<string> ReceiveTextAsync(Socket client, int? count = null) =>
        Encoding.ASCII.GetString(await TransportHost.ReceiveAsync(client, count));

    protected static async Task AssertEchoesAsync(Socket client, string text)
    {
        await TransportHost.SendAsync(client, Bytes.Of(text));
        Assert.Equal(text, await ReceiveTextAsync(client, text.Length));
    }

    private int Errors => _log.Entries.Count(static entry => entry.Level >= LogLevel.Error);

    private static bool HasEnded(Socket client)
    {
        try
        {
            return client.Receive(new byte[1]) == 0;
        }
        catch (SocketException)
        {
            return true; // reset
        }
    }

    // A reset may come before the system has told of the connection.
    private async Task<bool> IsEndedAtOnceAsync(Server server, int endPoint = 0)
    {
        try
        {
            return HasEnded(await ConnectAsync(server, endPoint));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    private sealed record Greeting(string Word);

    private sealed class GreetingHandler(Greeting greeting) : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection) =>
            await connection.Transport.Output.WriteAsync(Bytes.Of($"{greeting.Word}, {connection.Items["name"]}"));
    }

    // ---- Handlers ----

    [Fact]
    public async Task A_handler_of_the_services_runs_inside_the_middleware()
    {
        var order = new List<string>();
        Server server = await StartAsync(NewBuilder().Listen(s_anyPort, connection => connection
            .Use(next => async context =>
            {
                context.Items["name"] = "gopher";
                await next(context);
                order.Add("outer");
            })
            .Use(next => async context =>
            {
                await next(context);
                order.Add("inner");
            })
            .UseConnectionHandler<GreetingHandler>()));
        Assert.Equal("Hello, gopher", await ReceiveTextAsync(await ConnectAsync(server)));
        await server.StopAsync().Within();
        Assert.Equal(["inner", "outer"], order);
        Assert.Equal(0, Errors);
    }

    [Fact]
    public async Task Each_end_point_has_its_own_handler()
    {
        Server server = await StartAsync(ListenOn(ListenOn(NewBuilder(), EchoAsync),
            async connection => await connection.Transport.Output.WriteAsync(Bytes.Of("the second"))));
        Assert.Equal(2, server.EndPoints.Count);
        Assert.All(server.EndPoints, endPoint => Assert.NotEqual(0, ((IPEndPoint)endPoint).Port));
        await AssertEchoesAsync(await ConnectAsync(server), "to the first");
        Assert.Equal("the second", await ReceiveTextAsync(await ConnectAsync(server, 1)));
        Assert.Equal(2, _log.Entries.Count(static entry => entry.Message.StartsWith("Listening on 127.0.0.1:", StringComparison.Ordinal)));
        await server.StopAsync(new CancellationToken(true)).Within();
    }

    [Fact]
    public async Task A_handler_that_blocks_holds_no_other_connection_up()
    {
        using var release = new ManualResetEventSlim();
        int calls = 0;
        Server server = await StartAsync(connection =>
        {
            if (Interlocked.Increment(ref calls) <= 2)
                Assert.True(release.Wait(Bounded.Limit)); // it has not even given its task back
            return EchoAsync(connection);
        });
        Socket[] blocked = [await ConnectAsync(server), await ConnectAsync(server)];
        Bounded.Until(() => Volatile.Read(ref calls) == 2, "both block");
        await AssertEchoesAsync(await ConnectAsync(server), "free");
        release.Set();
        foreach (Socket client in blocked)
            await AssertEchoesAsync(client, "released");
        await server.StopAsync(new CancellationToken(true)).Within();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_handler_throws_is_logged_and_ends_its_connection_only(bool atOnce)
    {
        int calls = 0;
        async Task FailLaterAsync(ConnectionContext connection)
        {
            await connection.Transport.Output.WriteAsync(Bytes.Of("last words"));
            throw new InvalidDataException("on purpose");
        }
        Server server = await StartAsync(connection => Interlocked.Increment(ref calls) switch
        {
            1 => EchoAsync(connection),
            2 => atOnce ? throw new InvalidDataException("on purpose") : FailLaterAsync(connection),
            _ => EchoAsync(connection),
        });
        Socket before = await ConnectAsync(server);
        await AssertEchoesAsync(before, "before");
        Assert.Equal(atOnce ? "" : "last words", await ReceiveTextAsync(await ConnectAsync(server)));
        await AssertEchoesAsync(before, "still");
        await AssertEchoesAsync(await ConnectAsync(server), "after");
        (_, string message, Exception? exception) = Assert.Single(_log.Entries, static entry => entry.Level >= LogLevel.Error);
        Assert.IsType<InvalidDataException>(exception);
        Assert.Contains("handler has thrown", message, StringComparison.Ordinal);
        await server.StopAsync(new CancellationToken(true)).Within();
    }

    [Fact]
    public async Task A_connection_that_ends_by_itself_is_no_error_of_the_handler()
    {
        int calls = 0;
        Server server = await StartAsync(async connection =>
        {
            if (Interlocked.Increment(ref calls) == 1)
                await EchoAsync(connection); // its client resets
            else
                connection.Abort(new ConnectionAbortedException("enough"));
            await connection.Transport.Input.ReadAsync();
        });
        Socket resetting = await ConnectAsync(server);
        await AssertEchoesAsync(resetting, "x");
        TransportHost.Reset(resetting);
        Assert.True(await IsEndedAtOnceAsync(server));
        Bounded.Until(() => server.ConnectionCount == 0, "both have ended");
        await server.StopAsync().Within();
        Assert.Equal(0, Errors);
    }

    [Fact]
    public async Task Every_connection_is_disposed_of_once_however_it_ends()
    {
        var transport = new CountingTransport(CreateFactory());
        int calls = 0;
        Server server = await StartAsync(ListenOn(NewBuilder(transport), async connection =>
        {
            switch (Interlocked.Increment(ref calls) % 4)
            {
                case 0:
                    throw new InvalidDataException("on purpose");
                case 1:
                    connection.Abort();
                    break;
                case 2:
                    await connection.Transport.Output.CompleteAsync();
                    break;
                default:
                    await EchoAsync(connection);
                    break;
            }
        }));
        const int Connections = 40;
        for (int i = 0; i < Connections; i++)
        {
            Socket client;
            try
            {
                client = await ConnectAsync(server);
            }
            catch (SocketException)
            {
                continue; // aborted already
            }
            if (i % 8 >= 6)
                TransportHost.Reset(client);
            else if (i % 8 >= 3)
                EndQuietly(client);
        }
        // A reset that comes early takes the connection with it before it has been accepted.
        Bounded.Until(() => Volatile.Read(ref transport.Accepted) >= Connections / 2 && server.ConnectionCount <= Connections / 4, "the first have ended");
        await server.StopAsync(new CancellationToken(true)).Within();
        Assert.Equal(0, server.ConnectionCount);
        Assert.Equal(transport.Accepted, transport.Disposed);
        Assert.Equal(1, transport.Unbound);
    }

    private static void EndQuietly(Socket client)
    {
        try
        {
            client.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server was first.
        }
    }

    [Fact]
    public async Task An_accept_that_fails_does_not_end_the_server()
    {
        var transport = new CountingTransport(CreateFactory());
        transport.FailAccepts(3);
        Server server = await StartAsync(ListenOn(NewBuilder(transport), EchoAsync));
        for (int i = 0; i < 3; i++)
            Assert.True(await IsEndedAtOnceAsync(server));
        await AssertEchoesAsync(await ConnectAsync(server), "accepted");
        Assert.Equal(3, _log.Entries.Count(static entry => entry is { Level: LogLevel.Error, Exception: IOException }));
        await server.StopAsync(new CancellationToken(true)).Within();
    }

    // ---- Limits ----

    [Fact]
    public async Task No_more_connections_at_once_than_may_be()
    {
        ServerBuilder builder = ListenOn(ListenOn(NewBuilder(), EchoAsync), EchoAsync); // both end points together
        builder.MaxConnections = 2;
        Server server = await StartAsync(builder);
        Socket first = await ConnectAsync(server);
        await AssertEchoesAsync(first, "1");
        await AssertEchoesAsync(await ConnectAsync(server, 1), "2");
        Assert.True(await IsEndedAtOnceAsync(server));
        Assert.True(await IsEndedAtOnceAsync(server, 1));
        Assert.Equal(2, server.ConnectionCount);
        first.Shutdown(SocketShutdown.Send);
        Bounded.Until(() => server.ConnectionCount == 1, "the first has ended");
        await AssertEchoesAsync(await ConnectAsync(server), "3");
        Assert.Equal(2, _log.Entries.Count(static entry => entry.Level == LogLevel.Warning && entry.Message.Contains("refused", StringComparison.Ordinal)));
        await server.StopAsync(new CancellationToken(true)).Within();
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.MaxConnections = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.ShutdownTimeout = TimeSpan.FromSeconds(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.ShutdownTimeout = TimeSpan.MaxValue);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.HeartbeatInterval = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.HeartbeatInterval = TimeSpan.MaxValue);
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.ListenLocalhost(0, static _ => { }));
    }

    // ---- Start ----

    [Fact]
    public async Task When_one_end_point_is_in_use_none_is_listened_on()
    {
        using var user = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        user.Bind(s_anyPort);
        user.Listen();
        var transport = new CountingTransport(CreateFactory());
        EndPoint free = FreePort();
        Server server = NewBuilder(transport)
            .Listen(free, static connection => connection.Run(EchoAsync))
            .Listen(user.LocalEndPoint!, static connection => connection.Run(EchoAsync))
            .Build();
        IOException e = await Assert.ThrowsAsync<IOException>(() => server.StartAsync().Within());
        Assert.Contains(user.LocalEndPoint!.ToString()!, e.Message, StringComparison.Ordinal);
        Assert.IsType<AddressInUseException>(e.InnerException);
        Assert.Empty(server.EndPoints);
        Assert.Equal(0, transport.Accepted);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(free); // it is free again
        await server.StopAsync().Within();
    }

    private static EndPoint FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(s_anyPort);
        return socket.LocalEndPoint!;
    }

    [Fact]
    public async Task It_starts_once()
    {
        Server server = await StartAsync(EchoAsync);
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAsync());
        await AssertEchoesAsync(await ConnectAsync(server), "and lives on");
        await server.StopAsync(new CancellationToken(true)).Within();
        Server stopped = ListenOn(NewBuilder(), EchoAsync).Build();
        await stopped.StopAsync().Within();
        await Assert.ThrowsAsync<InvalidOperationException>(() => stopped.StartAsync());
    }

    [Fact]
    public async Task A_cancelled_start_listens_on_nothing()
    {
        Server server = ListenOn(NewBuilder(new CancellableTransport(CreateFactory())), EchoAsync).Build();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.StartAsync(new CancellationToken(true)).Within());
        Assert.Empty(server.EndPoints);
    }

    // ASP.NET Core's does not look at the token.
    private sealed class CancellableTransport(IConnectionListenerFactory inner) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return inner.BindAsync(endpoint, cancellationToken);
        }
    }

    [Fact]
    public async Task Localhost_is_both_its_addresses()
    {
        int port = ((IPEndPoint)FreePort()).Port;
        Server server = await StartAsync(NewBuilder().ListenLocalhost(port, static connection => connection.Run(EchoAsync)));
        Assert.Contains(new IPEndPoint(IPAddress.Loopback, port), server.EndPoints);
        Assert.Equal(Socket.OSSupportsIPv6, server.EndPoints.Contains(new IPEndPoint(IPAddress.IPv6Loopback, port)));
        foreach (EndPoint endPoint in server.EndPoints)
        {
            using var client = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(endPoint);
            await AssertEchoesAsync(client, "local");
        }
        await server.StopAsync(new CancellationToken(true)).Within();
    }

    // ---- Stop ----

    [Fact]
    public async Task A_stop_lets_handlers_end_that_heed_it_and_accepts_no_more()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server server = await StartAsync(async connection =>
        {
            var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
            try
            {
                ReadResult result;
                do
                {
                    result = await connection.Transport.Input.ReadAsync(lifetime!.ConnectionClosedRequested);
                    connection.Transport.Input.AdvanceTo(result.Buffer.End);
                    await connection.Transport.Output.WriteAsync(Bytes.Of("."));
                }
                while (!result.IsCompleted); // of those that only look whether it listens
            }
            finally
            {
                await goOn.Task;
                await connection.Transport.Output.WriteAsync(Bytes.Of("bye"));
            }
        });
        Socket client = await ConnectAsync(server);
        await TransportHost.SendAsync(client, Bytes.Of("x"));
        Assert.Equal(".", await ReceiveTextAsync(client, 1));
        EndPoint endPoint = server.EndPoints[0];
        Task stop = server.StopAsync();
        Bounded.Until(() => !IsListening(endPoint), "no more connections");
        Assert.False(stop.IsCompleted);
        goOn.SetResult();
        Assert.Equal("bye", await ReceiveTextAsync(client));
        await stop.Within();
        await server.StopAsync().Within(); // the same end
        Assert.Equal(0, server.ConnectionCount);
        Assert.Equal(0, Errors);
        Assert.DoesNotContain(_log.Entries, static entry => entry.Level == LogLevel.Warning);
    }

    private static bool IsListening(EndPoint endPoint)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_aborts_what_does_not_end_in_time(bool byToken)
    {
        ServerBuilder builder = ListenOn(NewBuilder(), EchoAsync);
        builder.ShutdownTimeout = byToken ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(200);
        Server server = await StartAsync(builder);
        Socket client = await ConnectAsync(server);
        await AssertEchoesAsync(client, "x");
        using var hurry = new CancellationTokenSource();
        Task stop = server.StopAsync(hurry.Token);
        if (byToken)
        {
            Assert.NotSame(stop, await Task.WhenAny(stop, Task.Delay(200)));
            hurry.Cancel();
        }
        await stop.Within();
        Assert.Equal(0, server.ConnectionCount);
        Assert.True(HasEnded(client));
        Assert.Single(_log.Entries, static entry => entry.Level == LogLevel.Warning && entry.Message.Contains("1 connections are aborted", StringComparison.Ordinal));
        Assert.Equal(0, Errors);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_ever_for_a_handler_that_does()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server server = await StartAsync(_ => release.Task);
        await ConnectAsync(server);
        Bounded.Until(() => server.ConnectionCount == 1, "it is there");
        await server.StopAsync(new CancellationToken(true)).Within();
        Assert.Equal(1, server.ConnectionCount);
        Assert.Single(_log.Entries, static entry => entry.Level == LogLevel.Error && entry.Message.Contains("have not ended", StringComparison.Ordinal));
        release.SetResult();
        Bounded.Until(() => server.ConnectionCount == 0, "it has ended");
    }

    // ---- The features that a server gives a connection ----

    [Fact]
    public async Task Callbacks_run_when_the_handler_has_ended_the_last_one_first()
    {
        var order = new List<int>();
        Server server = await StartAsync(connection =>
        {
            var completion = connection.Features.Get<IConnectionCompleteFeature>()!;
            completion.OnCompleted(number => Add((int)number), 1);
            completion.OnCompleted(_ => throw new InvalidDataException("on purpose"), 2);
            completion.OnCompleted(number => Add((int)number), 3);
            return Task.CompletedTask;
        });
        Assert.Equal("", await ReceiveTextAsync(await ConnectAsync(server)));
        await server.StopAsync().Within();
        Assert.Equal([3, 1], order);
        Assert.Equal(1, Errors);

        async Task Add(int number)
        {
            await Task.Yield();
            order.Add(number);
        }
    }

    [Fact]
    public async Task Who_asks_for_a_heartbeat_is_called_until_the_connection_ends()
    {
        int beats = 0;
        var thrice = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ServerBuilder builder = ListenOn(NewBuilder(), async connection =>
        {
            connection.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(
                _ =>
                {
                    if (Interlocked.Increment(ref beats) == 3)
                        thrice.SetResult();
                    throw new InvalidDataException("on purpose"); // costs nobody else a beat
                }, connection);
            await thrice.Task;
        });
        builder.HeartbeatInterval = TimeSpan.FromMilliseconds(10);
        Server server = await StartAsync(builder);
        Assert.Equal("", await ReceiveTextAsync(await ConnectAsync(server)));
        await server.StopAsync().Within();
        Assert.True(beats >= 3);
        int after = beats;
        await Task.Delay(50);
        Assert.Equal(after, beats);
    }

    // ---- In a host ----

    [Fact]
    public async Task A_host_runs_several_servers()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(new Greeting("Hello"));
        builder.Services.AddConnectionServer(server => server.UseTransport(CreateFactory()).Listen(s_anyPort, connection => connection
            .Use(next => context =>
            {
                context.Items["name"] = "host";
                return next(context);
            })
            .UseConnectionHandler<GreetingHandler>()));
        builder.Services.AddConnectionServer(server => ListenOn(server.UseTransport(CreateFactory()), EchoAsync));
        using IHost host = builder.Build();
        await host.StartAsync().Within();
        Server[] servers = [.. host.Services.GetServices<Server>()];
        Assert.Equal(2, servers.Length);
        Assert.Equal("Hello, host", await ReceiveTextAsync(await ConnectAsync(servers[0])));
        Socket client = await ConnectAsync(servers[1]);
        await AssertEchoesAsync(client, "x");
        client.Shutdown(SocketShutdown.Send);
        EndPoint endPoint = servers[1].EndPoints[0];
        await host.StopAsync().Within();
        Bounded.Until(() => !IsListening(endPoint), "no more connections");
    }
}
