namespace NetGo.Http.Tests;

/// <summary>The context of a request, and what the server tells of its connections.</summary>
public class ContextTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private static readonly ContextKey<string> s_key = new("key");

    private sealed class Waiter
    {
        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<Exception?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask ServeAsync(ResponseWriter response, Request request)
        {
            Context context = request.Context;
            Entered.TrySetResult();
            await context.WaitDoneAsync();
            Ended.TrySetResult(context.Cause);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task It_ends_when_the_client_goes_away(bool reset, bool pipelines)
    {
        var waiter = new Waiter();
        await using var server = new TestServer(waiter.ServeAsync);
        using RawClient client = server.Connect();
        client.Send(pipelines ? Get + Get : Get);
        await waiter.Entered.Task.Within();
        Assert.False(waiter.Ended.Task.IsCompleted);
        if (reset)
            client.Reset();
        else
            client.HalfClose();
        Assert.IsType<IOException>(await waiter.Ended.Task.Within());
    }

    [Fact]
    public async Task It_ends_when_the_client_had_gone_before_it_was_asked_for()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (_, request) =>
        {
            await gone.Task;
            await request.Context.WaitDoneAsync();
            Assert.True(request.Aborted.IsCancellationRequested);
            ended.SetResult();
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        client.Reset();
        gone.SetResult();
        await ended.Task.Within();
    }

    [Fact]
    public async Task It_ends_when_the_server_is_closed()
    {
        var waiter = new Waiter();
        await using var server = new TestServer(waiter.ServeAsync);
        using RawClient client = server.Connect();
        client.Send(Get);
        await waiter.Entered.Task.Within();
        server.Server.Close();
        Assert.NotNull(await waiter.Ended.Task.Within());
    }

    [Fact]
    public async Task It_ends_with_the_handler_and_the_next_request_has_its_own()
    {
        var seen = new List<Context>();
        await using var server = new TestServer((_, request) =>
        {
            Assert.Same(request.Context, request.Context);
            Assert.False(request.Context.IsDone);
            seen.Add(request.Context);
            return default;
        });
        using RawClient client = server.Connect();
        Assert.Equal(200, client.Exchange(Get).StatusCode);
        Assert.Equal(200, client.Exchange(Get).StatusCode);
        Assert.Equal(2, seen.Distinct().Count());
        Assert.All(seen, static context => Assert.True(context.IsDone));
    }

    [Fact]
    public async Task Middleware_may_put_another_in_its_place_for_this_request()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            string? before = request.Context.Value(s_key);
            request.Context = Context.WithValue(request.Context, s_key, "own");
            await response.WriteAsync($"{before}|{request.Context.Value(s_key)}");
        });
        using RawClient client = server.Connect();
        Assert.Equal("|own", client.Exchange(Get).Text);
        Assert.Equal("|own", client.Exchange(Get).Text);
    }

    [Fact]
    public async Task It_derives_from_the_listeners_and_the_connections()
    {
        using CancelContext root = Context.WithCancel(Context.Background);
        var second = new ContextKey<string>("second");
        int connections = 0;
        await using var server = new TestServer(
            async (response, request) => await response.WriteAsync($"{request.Context.Value(s_key)}|{request.Context.Value(second)}"),
            s =>
            {
                s.BaseContext = _ => Context.WithValue(root, s_key, "listener");
                s.ConnContext = (context, _) => Context.WithValue(context, second, $"connection {++connections}");
            });
        using RawClient client = server.Connect();
        Assert.Equal("listener|connection 1", client.Exchange(Get).Text);
        Assert.Equal("listener|connection 1", client.Exchange(Get).Text);
        Assert.Equal("listener|connection 2", server.Exchange(Get).Text);
    }

    [Fact]
    public async Task A_connection_for_which_no_context_can_be_made_is_closed()
    {
        bool fails = true;
        await using var server = new TestServer(
            Handlers.Ok, s => s.ConnContext = (context, _) => fails ? throw new InvalidOperationException("No context.") : context);
        using (RawClient client = server.Connect())
            client.AssertClosed();
        Assert.Contains(server.Log.Entries, static e => e.Exception is InvalidOperationException);
        fails = false;
        Assert.Equal(200, server.Exchange(Get).StatusCode);
    }

    [Fact]
    public async Task The_states_of_a_connection_are_told()
    {
        var states = new System.Collections.Concurrent.ConcurrentQueue<ConnState>();
        await using var server = new TestServer(
            async (response, request) =>
            {
                if (request.Path == "/hijack")
                    await (await response.HijackAsync()).DisposeAsync();
            },
            s => s.OnConnState = (_, state) => states.Enqueue(state));
        using (RawClient client = server.Connect())
        {
            Bounded.Until(() => states.SequenceEqual([ConnState.New]), "it is new");
            client.Send("GET / HT");
            Bounded.Until(() => states.SequenceEqual([ConnState.New, ConnState.Active]), "it is active");
            client.Send("TP/1.1\r\nHost: h\r\n\r\n");
            client.ReadResponse();
            Bounded.Until(() => states.SequenceEqual([ConnState.New, ConnState.Active, ConnState.Idle]), "it is idle");
            client.Exchange(Get);
        }
        ConnState[] all = [ConnState.New, ConnState.Active, ConnState.Idle, ConnState.Active, ConnState.Idle, ConnState.Closed];
        Bounded.Until(() => states.SequenceEqual(all), "it is closed");
        states.Clear();
        using (RawClient client = server.Connect())
        {
            client.Send("GET /hijack HTTP/1.1\r\nHost: h\r\n\r\n");
            client.AssertClosed();
        }
        Bounded.Until(() => states.SequenceEqual([ConnState.New, ConnState.Active, ConnState.Hijacked]), "it is hijacked, and no more is told");
    }

    [Fact]
    public async Task A_BaseContext_that_throws_leaves_nothing_behind()
    {
        using var listener = NetGo.Netpoll.NetListener.Listen("127.0.0.1:0");
        var server = new Server { BaseContext = _ => throw new InvalidOperationException("none") };
        Assert.Equal("none", (await Assert.ThrowsAsync<InvalidOperationException>(() => server.ServeAsync(listener))).Message);
        await server.DisposeAsync().AsTask().WaitAsync(TestServer.Bound);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await listener.AcceptAsync());
    }
}
