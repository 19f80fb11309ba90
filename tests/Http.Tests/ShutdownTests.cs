using System.Net;
using System.Net.Sockets;
using NetGo.Netpoll;

namespace NetGo.Http.Tests;

/// <summary>How a server begins and ends: Go's Serve, Shutdown and Close.</summary>
public class ShutdownTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Shutdown_lets_a_running_request_end(bool byToken)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        await using var testServer = new TestServer(async (response, request) =>
        {
            entered.SetResult();
            await go.Task;
            await response.WriteAsync("done");
        }, cancellationToken: stop.Token);
        Server server = testServer.Server;
        Task serving = testServer.Serving;
        IPEndPoint endPoint = testServer.EndPoint;
        using RawClient client = testServer.Connect();
        client.Send(Get);
        await entered.Task.WaitAsync(TestServer.Bound);

        Task shutdown = Task.CompletedTask;
        if (byToken)
            await stop.CancelAsync();
        else
            shutdown = server.ShutdownAsync();
        AssertRefused(endPoint);
        Assert.False(serving.IsCompleted);
        if (!byToken)
            Assert.False(shutdown.IsCompleted);

        go.SetResult();
        RawResponse response = client.ReadResponse();
        Assert.Equal("done", response.Text);
        Assert.True(response.HasConnectionClose);
        client.AssertClosed();
        await shutdown.WaitAsync(TestServer.Bound);
        await serving.WaitAsync(TestServer.Bound);
        Assert.Equal(0, server.ConnectionCount);
    }

    [Fact]
    public async Task Shutdown_closes_idle_connections()
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient used = server.Connect();
        Assert.Equal("ok", used.Exchange(Get).Text);
        await server.Server.ShutdownAsync().WaitAsync(TestServer.Bound);
        used.AssertClosed();
        await server.Serving.WaitAsync(TestServer.Bound);
        Assert.Equal(0, server.Server.ConnectionCount);
        AssertRefused(server.EndPoint);
    }

    [Fact]
    public async Task Shutdown_waits_for_the_first_request_of_a_connection_for_a_while()
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient used = server.Connect();
        using RawClient silent = server.Connect();
        using RawClient fresh = server.Connect();
        Assert.Equal("ok", used.Exchange(Get).Text);
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 3, RawClient.BoundMilliseconds));
        Task shutdown = server.Server.ShutdownAsync();
        used.AssertClosed();
        RawResponse response = fresh.Exchange(Get);
        Assert.Equal("ok", response.Text);
        Assert.True(response.HasConnectionClose);
        fresh.AssertClosed();
        await shutdown.WaitAsync(TestServer.Bound);
        silent.AssertClosed();
    }

    [Fact]
    public async Task Shutdown_closes_many_idle_connections()
    {
        await using var server = new TestServer(Handlers.Ok);
        RawClient[] clients = [.. Enumerable.Range(0, 200).Select(_ => server.Connect())];
        foreach (RawClient client in clients)
            Assert.Equal("ok", client.Exchange(Get).Text);
        await server.Server.ShutdownAsync().WaitAsync(TestServer.Bound);
        foreach (RawClient client in clients)
        {
            client.AssertClosed();
            client.Dispose();
        }
    }

    [Fact]
    public async Task Shutdown_under_load_cuts_no_answer_off()
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(new string('x', 10_000)));
        var started = new CountdownEvent(4);
        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
        {
            using RawClient client = server.Connect();
            for (int i = 0; ; i++)
            {
                if (i == 10)
                    started.Signal();
                client.SendAnyway(Get);
                RawResponse response;
                try
                {
                    response = client.ReadResponse();
                }
                catch (EndOfStreamException exception) when (exception.Message.Contains("where a response", StringComparison.Ordinal))
                {
                    return; // Closed between two answers.
                }

                Assert.True(response.IsComplete);
                if (response.HasConnectionClose)
                {
                    client.AssertClosed();
                    return;
                }
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Assert.True(started.Wait(RawClient.BoundMilliseconds));
        await server.Server.ShutdownAsync().WaitAsync(TestServer.Bound);
        await Task.WhenAll(clients).WaitAsync(TestServer.Bound);
        started.Dispose();
    }

    [Fact]
    public async Task The_wait_of_a_shutdown_can_be_ended_and_Close_closes_the_rest()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            entered.SetResult();
            await go.Task;
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        await entered.Task.WaitAsync(TestServer.Bound);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        Exception? exception = await Record.ExceptionAsync(() => server.Server.ShutdownAsync(patience.Token).WaitAsync(TestServer.Bound));
        Assert.True(exception is null or OperationCanceledException, $"{exception}");
        server.Server.Close();
        try
        {
            client.AssertClosed(); // While the handler still waits.
        }
        finally
        {
            go.SetResult();
        }

        await server.Serving.WaitAsync(TestServer.Bound);
    }

    [Fact]
    public async Task Close_ends_everything_and_fails_the_writes_of_handlers()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outcome = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/idle")
                return;
            entered.SetResult();
            try
            {
                while (true)
                {
                    await response.WriteAsync(new byte[10_000]);
                    await response.FlushAsync();
                }
            }
            catch (Exception exception)
            {
                outcome.SetResult(exception);
                throw;
            }
        });
        using RawClient idle = server.Connect();
        Assert.Equal(200, idle.Exchange("GET /idle HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        using RawClient busy = server.Connect();
        busy.Send(Get);
        await entered.Task.WaitAsync(TestServer.Bound);
        server.Server.Close();
        idle.AssertClosed();
        Assert.IsAssignableFrom<IOException>(await outcome.Task.WaitAsync(TestServer.Bound));
        await server.Serving.WaitAsync(TestServer.Bound);
        Assert.Equal(0, server.Server.ConnectionCount);
        AssertRefused(server.EndPoint);
    }

    [Fact]
    public async Task Close_ends_a_read_of_content()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            entered.SetResult();
            outcome.SetResult(await Record.ExceptionAsync(async () => await request.Body.CopyToAsync(Stream.Null)));
        });
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
        await entered.Task.WaitAsync(TestServer.Bound);
        server.Server.Close();
        Assert.IsAssignableFrom<IOException>(await outcome.Task.WaitAsync(TestServer.Bound));
    }

    [Fact]
    public async Task Shutdown_and_Close_may_be_repeated_and_need_no_serving()
    {
        await using var server = new Server();
        await server.ShutdownAsync().WaitAsync(TestServer.Bound);
        await server.ShutdownAsync().WaitAsync(TestServer.Bound);
        server.Close();
        server.Close();
        await server.DisposeAsync();
        await server.ShutdownAsync().WaitAsync(TestServer.Bound);
    }

    [Fact]
    public async Task A_server_that_was_shut_down_does_not_serve_again()
    {
        await using var server = new Server();
        await server.ShutdownAsync();
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.ServeAsync(listener).WaitAsync(TestServer.Bound));
    }

    [Fact]
    public async Task Dispose_waits_for_the_handlers_to_end()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool ended = false;
        await using var server = new TestServer(async (response, request) =>
        {
            entered.SetResult();
            await go.Task;
            Volatile.Write(ref ended, true);
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        await entered.Task.WaitAsync(TestServer.Bound);
        Task disposal = server.Server.DisposeAsync().AsTask();
        AssertRefused(server.EndPoint);
        Assert.False(disposal.IsCompleted);
        go.SetResult();
        await disposal.WaitAsync(TestServer.Bound);
        Assert.True(Volatile.Read(ref ended));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Servers_that_begin_and_end_often_all_end(bool refused, bool connectionIsOpen)
    {
        // Away from the test's synchronization context, which runs one thing at a time. The seam here is Close while a
        // connection is just being accepted, answered or closed.
        await Task.Run(async () =>
        {
            for (int i = 0; i < 300; i++)
            {
                await using var server = new TestServer(Handlers.Ok);
                RawClient client = server.Connect();
                client.Send(refused ? "nonsense\r\n\r\n" : i % 2 == 0 ? Get : "GET / HTTP");
                if (refused || i % 2 == 0)
                    Assert.Equal(refused ? 400 : 200, client.ReadResponse().StatusCode);
                if (!connectionIsOpen)
                    client.Dispose();
                server.Server.Close();
                try
                {
                    await server.Serving.WaitAsync(TestServer.Bound);
                }
                catch (TimeoutException)
                {
                    Assert.Fail($"Server {i} has not ended after Close, with {server.Server.ConnectionCount} connections.");
                }
                finally
                {
                    client.Dispose();
                }
            }
        });
    }

    [Fact]
    public async Task Two_servers_serve_side_by_side_and_end_one_by_one()
    {
        await using var one = new TestServer((response, request) => response.WriteAsync("one"));
        await using var two = new TestServer((response, request) => response.WriteAsync("two"));
        Assert.Equal("one", one.Exchange(Get).Text);
        Assert.Equal("two", two.Exchange(Get).Text);
        await one.Server.ShutdownAsync().WaitAsync(TestServer.Bound);
        Assert.Equal("two", two.Exchange(Get).Text);
    }

    [Fact]
    public async Task ListenAndServe_serves_its_address_until_the_token()
    {
        IPEndPoint endPoint;
        using (NetListener probe = NetListener.Listen("127.0.0.1:0"))
            endPoint = (IPEndPoint)probe.LocalEndPoint;
        await using var server = new Server { Address = endPoint.ToString(), Handler = new HandlerFunc(Handlers.Ok) };
        using var stop = new CancellationTokenSource();
        Task serving = server.ListenAndServeAsync(stop.Token);
        Assert.True(SpinWait.SpinUntil(() => !IsRefused(endPoint), RawClient.BoundMilliseconds));
        using (var client = new RawClient(endPoint))
            Assert.Equal("ok", client.Exchange(Get).Text);
        await stop.CancelAsync();
        await serving.WaitAsync(TestServer.Bound);
        AssertRefused(endPoint);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:x")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("[::1:80")]
    public async Task A_malformed_address_is_a_FormatException(string address)
    {
        await using var server = new Server { Address = address };
        await Assert.ThrowsAsync<FormatException>(async () => await server.ListenAndServeAsync().WaitAsync(TestServer.Bound));
    }

    [Fact]
    public void An_address_in_use_by_another_listener_is_a_SocketException()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        var exception = Assert.Throws<SocketException>(() => NetListener.Listen(listener.LocalEndPoint).Dispose());
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_address_in_use_by_another_socket_is_a_SocketException(bool shared)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (shared)
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true); // SO_REUSEPORT on Linux
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var exception = Assert.Throws<SocketException>(() => NetListener.Listen((IPEndPoint)socket.LocalEndPoint!).Dispose());
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }

    [Fact]
    public async Task An_address_can_be_used_again_after_shutdown()
    {
        IPEndPoint endPoint;
        await using (var server = new TestServer(Handlers.Ok))
        {
            endPoint = server.EndPoint;
            // The server closes first: the connection waits in TIME_WAIT on the server's port.
            Assert.Equal("ok", server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").Text);
        }

        using NetListener again = NetListener.Listen(endPoint);
        Assert.Equal(endPoint, again.LocalEndPoint);
    }

    // Soon: a goroutine that is still accepting holds the socket until it sees the close.
    private static void AssertRefused(IPEndPoint endPoint) =>
        Assert.True(SpinWait.SpinUntil(() => IsRefused(endPoint), RawClient.BoundMilliseconds), "New connections are still accepted.");

    private static bool IsRefused(IPEndPoint endPoint)
    {
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(endPoint);
            return false;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return true;
        }
    }
}
