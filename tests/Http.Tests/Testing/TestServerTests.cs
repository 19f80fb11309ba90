using System.Net;
using System.Net.WebSockets;
using System.Text;
using NetGo.Http.Testing;

namespace NetGo.Http.Tests.Testing;

/// <summary>The server in memory: that what is HTTP is the same without sockets.</summary>
public class TestServerTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string LastGet = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    [Fact]
    public async Task A_client_gets_answers()
    {
        await using var server = new MemoryServer(Handlers.Describe);
        Assert.Equal("GET\n/a?b=c\n/a\nb=c\nlocalhost\nHTTP/1.1", await server.Client.GetStringAsync("/a?b=c"));
        Assert.Equal("GET\n/\n/\n\nexample.com\nHTTP/1.1", await server.Client.GetStringAsync("http://example.com/"));
    }

    [Fact]
    public async Task A_mux_and_a_function_can_be_started_at_once()
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /hello/{name}", (response, request) => response.WriteAsync($"Hello, {request.PathValue("name")}!"));
        await using var server = NetGo.Http.Testing.TestServer.Start(mux);
        using HttpClient client = server.CreateClient();
        Assert.Equal("Hello, gopher!", await client.GetStringAsync("hello/gopher"));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri(server.BaseAddress, "/other"))).StatusCode);
    }

    [Fact]
    public async Task A_synchronous_client_gets_answers()
    {
        await using var server = new MemoryServer(Handlers.Echo);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(new byte[200_000]) };
        using HttpResponseMessage response = await Task.Run(() => server.Client.Send(request)).Within();
        Assert.Equal(200_000, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task A_connection_is_kept()
    {
        var ports = new HashSet<EndPoint>();
        await using var server = new MemoryServer((_, request) =>
        {
            ports.Add(request.RemoteEndPoint);
            return default;
        });
        for (int i = 0; i < 10; i++)
            using (await server.Client.GetAsync("/")) { }
        Assert.Single(ports);
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using var server = new MemoryServer(Handlers.Path);
        string requests = string.Concat(Enumerable.Range(0, 500).Select(static i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n"));
        string answers = await server.ExchangeAsync(requests + LastGet);
        int at = 0;
        for (int i = 0; i < 500; i++)
        {
            at = answers.IndexOf($"\r\n\r\n/{i}HTTP", at, StringComparison.Ordinal);
            Assert.True(at >= 0, $"the answer to request {i}");
        }
        Assert.EndsWith("/last", answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_of_unknown_length_goes_both_ways()
    {
        await using var server = new MemoryServer(static async (response, request) =>
        {
            var received = new MemoryStream();
            await request.Body.CopyToAsync(received);
            Assert.Equal(-1, request.ContentLength);
            received.Position = 0;
            for (byte[] piece = new byte[10_000]; received.Read(piece) is > 0 and int n;)
                await response.WriteAsync(piece.AsMemory(0, n));
        });
        byte[] content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StreamContent(new MemoryStream(content)) };
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.True(response.Headers.TransferEncodingChunked);
        Assert.Equal(content, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Malformed_requests_are_refused()
    {
        await using var server = new MemoryServer(Handlers.Ok);
        Assert.StartsWith("HTTP/1.1 400 ", await server.ExchangeAsync("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_clients_at_once()
    {
        await using var server = new MemoryServer(Handlers.Echo);
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, token) =>
        {
            using HttpResponseMessage response = await server.Client.PostAsync("/", new StringContent(new string('x', i * 1000)), token);
            Assert.Equal(i * 1000, (await response.Content.ReadAsByteArrayAsync(token)).Length);
        }).Within();
    }

    // ---- Streams ----

    [Fact]
    public async Task Events_come_one_by_one()
    {
        var next = new SemaphoreSlim(1);
        await using var server = new MemoryServer(async (response, request) =>
        {
            response.Header.Set("Content-Type", "text/event-stream");
            for (int i = 0; i < 3; i++)
            {
                await next.WaitAsync(request.Aborted);
                await response.WriteAsync($"data: {i}\n\n");
                await response.FlushAsync();
            }
        });
        using Stream stream = await server.Client.GetStreamAsync("/");
        using var reader = new StreamReader(stream);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync().Within());
            Assert.Equal("", await reader.ReadLineAsync().Within());
            next.Release(); // only now: had the event not been sent before, this would be a deadlock
        }
        Assert.Null(await reader.ReadLineAsync().Within());
    }

    [Fact]
    public async Task WebSockets_speak()
    {
        await using var server = new MemoryServer(async (response, request) =>
        {
            using WebSocket socket = (await response.AcceptWebSocketAsync(request))!;
            byte[] buffer = new byte[200_000];
            while (await socket.ReceiveAsync(buffer.AsMemory(), default) is { MessageType: not WebSocketMessageType.Close } received)
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", default);
        });
        using var invoker = new HttpMessageInvoker(server.CreateHandler());
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri("ws://localhost/ws"), invoker, default).Within();
        byte[] message = Encoding.ASCII.GetBytes(new string('x', 150_000)); // more than lies between the two
        Task sending = client.SendAsync(message, WebSocketMessageType.Text, true, default);
        byte[] buffer = new byte[message.Length];
        int count = 0;
        while (count < message.Length)
            count += (await client.ReceiveAsync(new ArraySegment<byte>(buffer, count, buffer.Length - count), default).Within()).Count;
        await sending.Within();
        Assert.Equal(message, buffer);
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", default).Within();
        Assert.Equal("bye", client.CloseStatusDescription);
    }

    [Fact]
    public async Task A_handler_can_take_the_connection_over_with_what_came_behind_the_request()
    {
        await using var server = new MemoryServer(async (response, _) =>
        {
            await using HijackedStream stream = await response.HijackAsync();
            Assert.Null(stream.Connection);
            await stream.WriteAsync("raw "u8.ToArray());
            await stream.CopyToAsync(stream);
        });
        await using InMemoryStream client = await server.ConnectAsync();
        await client.WriteAsync(Encoding.Latin1.GetBytes(Get + "behind "));
        Assert.Equal("raw behind ", await MemoryServer.ReadAsync(client, 11));
        await client.WriteAsync("and later"u8.ToArray());
        client.CloseWrite();
        Assert.Equal("and later", await MemoryServer.ReadToEndAsync(client));
    }

    [Fact]
    public async Task A_handler_waits_for_a_client_that_does_not_read()
    {
        const int Length = 10_000_000;
        int written = 0;
        await using var server = new MemoryServer(async (response, _) =>
        {
            response.Header.Set("Content-Length", $"{Length}");
            while (written < Length)
            {
                await response.WriteAsync(new byte[10_000]);
                Volatile.Write(ref written, written + 10_000);
            }
        });
        await using InMemoryStream client = await server.ConnectAsync();
        await client.WriteAsync(Encoding.Latin1.GetBytes(LastGet));
        // Once its first byte is here the handler can go on for no more than what the server buffers and what lies in between.
        Assert.Equal("H", await MemoryServer.ReadAsync(client, 1));
        Assert.InRange(Volatile.Read(ref written), 0, 200_000);
        Assert.True((await MemoryServer.ReadToEndAsync(client)).Length > Length);
        Assert.Equal(Length, Volatile.Read(ref written));
    }

    [Fact]
    public async Task A_client_waits_for_a_handler_that_does_not_read()
    {
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new MemoryServer(async (response, request) =>
        {
            await read.Task;
            await Handlers.Echo(response, request);
        });
        await using InMemoryStream client = await server.ConnectAsync();
        byte[] head = Encoding.Latin1.GetBytes("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n");
        await client.WriteAsync(head);
        Task sending = client.WriteAsync(new byte[1_000_000]).AsTask();
        Assert.False(sending.IsCompleted);
        read.SetResult();
        await sending.Within();
        Assert.True((await MemoryServer.ReadToEndAsync(client)).Length > 1_000_000);
    }

    // ---- Ends ----

    [Fact]
    public async Task A_client_that_gives_up_ends_the_requests_context()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new MemoryServer(async (_, request) =>
        {
            Context context = request.Context;
            entered.SetResult();
            await context.WaitDoneAsync();
            ended.SetResult();
        });
        using var cancellation = new CancellationTokenSource();
        Task<HttpResponseMessage> request = server.Client.GetAsync("/", cancellation.Token);
        await entered.Task.Within();
        Assert.False(ended.Task.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.Task.Within();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_to_a_client_that_has_gone_fails(bool abort)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new MemoryServer(async (response, _) =>
        {
            entered.SetResult();
            await gone.Task;
            await response.WriteAsync("lost");
            failed.SetResult(await Assert.ThrowsAnyAsync<Exception>(async () => await response.FlushAsync()));
        });
        InMemoryStream client = await server.ConnectAsync();
        await client.WriteAsync(Encoding.Latin1.GetBytes(Get));
        await entered.Task.Within(); // an abort takes back what has not been read
        if (abort)
            client.Abort();
        await client.DisposeAsync();
        gone.SetResult();
        Assert.IsType<IOException>(await failed.Task.Within());
    }

    [Fact]
    public async Task A_handler_that_fails_after_its_response_has_begun_breaks_the_connection()
    {
        await using var server = new MemoryServer(async (response, _) =>
        {
            await response.WriteAsync("begun");
            await response.FlushAsync();
            throw new InvalidOperationException("After that.");
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Client.GetStringAsync("/"));
    }

    [Fact]
    public async Task A_head_that_does_not_end_is_answered_with_408()
    {
        await using var server = new MemoryServer(Handlers.Ok, static s => s.ReadHeaderTimeout = TimeSpan.FromMilliseconds(50));
        Assert.StartsWith("HTTP/1.1 408 ", await server.ExchangeAsync("GET / HTTP/1.1\r\nHo"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_idle_connection_is_closed()
    {
        await using var server = new MemoryServer(Handlers.Ok, static s => s.IdleTimeout = TimeSpan.FromMilliseconds(50));
        await using InMemoryStream client = await server.ConnectAsync();
        Assert.Equal("", await MemoryServer.ReadToEndAsync(client));
    }

    [Fact]
    public async Task A_client_that_reads_nothing_is_given_up()
    {
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new MemoryServer(
            async (response, _) =>
            {
                failed.SetResult(await Assert.ThrowsAsync<IOException>(async () => await response.WriteAsync(new byte[1_000_000])));
            },
            static s => s.WriteTimeout = TimeSpan.FromMilliseconds(50));
        await using InMemoryStream client = await server.ConnectAsync();
        await client.WriteAsync(Encoding.Latin1.GetBytes(Get));
        await failed.Task.Within();
    }

    [Fact]
    public async Task A_shutdown_lets_a_request_end_and_refuses_connections()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new MemoryServer(async (response, _) =>
        {
            entered.SetResult();
            await end.Task;
            await response.WriteAsync("whole");
        });
        Task<string> answer = server.Client.GetStringAsync("/");
        await entered.Task.Within();
        Task shutdown = server.Server.ShutdownAsync();
        await Assert.ThrowsAsync<IOException>(async () => await server.ConnectAsync());
        Assert.False(shutdown.IsCompleted);
        end.SetResult();
        Assert.Equal("whole", await answer.Within());
        await shutdown.Within();
    }

    [Fact]
    public async Task Closing_ends_what_is_under_way()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new MemoryServer(async (_, request) =>
        {
            Context context = request.Context;
            entered.SetResult();
            await context.WaitDoneAsync();
        });
        await using InMemoryStream idle = await server.ConnectAsync();
        Task<HttpResponseMessage> answer = server.Client.GetAsync("/");
        await entered.Task.Within();
        server.Server.Close();
        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Within());
        Assert.Equal("", await MemoryServer.ReadToEndAsync(idle));
    }

    [Fact]
    public async Task A_bad_limit_fails_the_first_connection()
    {
        await using var server = new MemoryServer(Handlers.Ok, static s => s.MaxHeaderCount = 0);
        Exception failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.ConnectAsync());
        Assert.Contains("MaxHeaderCount", failure.Message, StringComparison.Ordinal);
    }
}
