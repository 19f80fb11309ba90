using System.Net;
using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>What a <see cref="Client"/> promises, whatever the transport is.</summary>
public abstract class ClientContract
{
    private int _opened;
    private int _disposed;

    protected abstract IConnectionFactory CreateFactory();

    private ClientBuilder NewBuilder() => new ClientBuilder().UseConnectionFactory(CreateFactory()).Use(Count);

    private CountingFactory Count(IConnectionFactory factory) => new(factory, () => _opened++, () => Interlocked.Increment(ref _disposed));

    private sealed class CountingFactory(IConnectionFactory inner, Action onOpened, Action onDisposed) : IConnectionFactory
    {
        public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            ConnectionContext connection = await inner.ConnectAsync(endpoint, cancellationToken);
            onOpened();
            return new CountedConnection(connection, onDisposed);
        }
    }

    private static async Task<Server> StartEchoAsync()
    {
        Server server = new ServerBuilder()
            .Listen(new IPEndPoint(IPAddress.Loopback, 0), static connection => connection.Run(
                static context => context.Transport.Input.CopyToAsync(context.Transport.Output)))
            .Build();
        await server.StartAsync().Within();
        return server;
    }

    private static async Task AssertEchoesAsync(ConnectionContext connection, string text)
    {
        await connection.Transport.Output.WriteAsync(Bytes.Of(text));
        Assert.Equal(Bytes.Of(text), await connection.Transport.Input.ReadBytesAsync(text.Length));
    }

    private async Task AssertEndedAsync(Server server)
    {
        await server.StopAsync(new CancellationToken(true)).Within();
        Assert.Equal(1, _opened);
        Assert.Equal(1, _disposed);
    }

    [Fact]
    public async Task Middleware_runs_before_the_connection_is_used_and_behind_it()
    {
        Server server = await StartEchoAsync();
        var order = new List<string>();
        ClientBuilder builder = NewBuilder().Use(Around("outer"));
        _ = builder.Build(); // what is added later is for those made later
        Client client = builder.Use(Around("inner")).Build();
        ConnectionContext connection = await client.ConnectAsync(server.EndPoints[0]).AsTask().Within();
        Assert.Equal(["outer begins", "inner begins"], order);
        Assert.Equal("inner", connection.Items["by"]);
        await AssertEchoesAsync(connection, "through both");
        await connection.DisposeAsync().AsTask().Within();
        await connection.DisposeAsync().AsTask().Within();
        Assert.Equal(["outer begins", "inner begins", "inner ends", "outer ends"], order);
        await AssertEndedAsync(server);

        Func<ConnectionDelegate, ConnectionDelegate> Around(string name) => next => async context =>
        {
            order.Add($"{name} begins");
            context.Items["by"] = name;
            await Task.Yield();
            await next(context);
            order.Add($"{name} ends");
        };
    }

    [Fact]
    public async Task A_middleware_may_put_another_connection_in_its_place()
    {
        Server server = await StartEchoAsync();
        ConnectionContext? replacement = null;
        Client client = NewBuilder()
            .Use(next => context => next(replacement = new CountedConnection(context, static () => { })))
            .Build();
        ConnectionContext connection = await client.ConnectAsync(server.EndPoints[0]).AsTask().Within();
        connection.Transport = new ReversedPipe(connection.Transport);
        Assert.IsType<ReversedPipe>(replacement!.Transport);
        await connection.DisposeAsync().AsTask().Within();
        await AssertEndedAsync(server);
    }

    private sealed class ReversedPipe(System.IO.Pipelines.IDuplexPipe inner) : System.IO.Pipelines.IDuplexPipe
    {
        public System.IO.Pipelines.PipeReader Input => inner.Input;

        public System.IO.Pipelines.PipeWriter Output => inner.Output;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_middleware_throws_comes_from_connecting(bool atOnce)
    {
        Server server = await StartEchoAsync();
        Client client = NewBuilder().Use(_ => atOnce ? _ => throw new InvalidDataException("on purpose") : FailAsync).Build();
        await Assert.ThrowsAsync<InvalidDataException>(() => client.ConnectAsync(server.EndPoints[0]).AsTask().Within());
        await AssertEndedAsync(server);

        static async Task FailAsync(ConnectionContext context)
        {
            await Task.Yield();
            throw new InvalidDataException("on purpose");
        }
    }

    [Fact]
    public async Task A_middleware_that_does_not_go_on_fails_the_connecting()
    {
        Server server = await StartEchoAsync();
        Client client = NewBuilder().Use(static _ => static _ => Task.CompletedTask).Build();
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.ConnectAsync(server.EndPoints[0]).AsTask().Within());
        await AssertEndedAsync(server);
    }

    [Fact]
    public async Task Connecting_can_be_cancelled_while_a_middleware_waits_for_the_peer()
    {
        Server server = await StartEchoAsync();
        using var cancel = new CancellationTokenSource();
        Client client = NewBuilder()
            .Use(next => async context =>
            {
                cancel.CancelAfter(50);
                await context.Transport.Input.ReadAsync(); // the peer says nothing by itself
                await next(context);
            })
            .Build();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ConnectAsync(server.EndPoints[0], cancel.Token).AsTask().Within());
        await AssertEndedAsync(server);
    }

    [Fact]
    public async Task Without_middleware_the_connection_is_the_transports()
    {
        Server server = await StartEchoAsync();
        ConnectionContext connection = await NewBuilder().Build().ConnectAsync(server.EndPoints[0]).AsTask().Within();
        Assert.IsType<CountedConnection>(connection);
        await AssertEchoesAsync(connection, "bare");
        await connection.DisposeAsync();
        await AssertEndedAsync(server);
    }
}
