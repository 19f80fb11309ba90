using System.Net.WebSockets;
using System.Text;

namespace NetGo.Http.Tests.WebSockets;

/// <summary>WebSockets with .NET's own client: RFC 6455.</summary>
public class WebSocketTests
{
    private static async ValueTask EchoUntilClosed(ResponseWriter response, Request request) =>
        await EchoUntilClosed(response, request, null);

    private static async ValueTask EchoUntilClosed(ResponseWriter response, Request request, WebSocketAcceptOptions? options)
    {
        if (await response.AcceptWebSocketAsync(request, options) is not { } accepted)
            return;
        using WebSocket socket = accepted;
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            ValueWebSocketReceiveResult received = await socket.ReceiveAsync(buffer.AsMemory(), default);
            if (received.MessageType == WebSocketMessageType.Close)
                break;
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
        }
        await socket.CloseOutputAsync(socket.CloseStatus!.Value, "bye", default);
    }

    private static async Task<ClientWebSocket> ConnectAsync(TestServer server, Action<ClientWebSocketOptions>? configure = null)
    {
        var client = new ClientWebSocket();
        client.Options.Proxy = null;
        configure?.Invoke(client.Options);
        await client.ConnectAsync(new Uri($"ws://{server.EndPoint}/ws"), default).Within();
        return client;
    }

    private static async Task<(WebSocketMessageType Type, byte[] Content)> ReceiveAsync(ClientWebSocket client)
    {
        var content = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            WebSocketReceiveResult received = await client.ReceiveAsync(buffer, default).Within();
            content.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
                return (received.MessageType, content.ToArray());
        }
    }

    private static async Task AssertEchoAsync(ClientWebSocket client, WebSocketMessageType type, byte[] content)
    {
        Task sending = client.SendAsync(content, type, true, default);
        (WebSocketMessageType Type, byte[] Content) echo = await ReceiveAsync(client);
        await sending.Within();
        Assert.Equal(type, echo.Type);
        Assert.Equal(content, echo.Content);
    }

    private static async Task CloseAsync(ClientWebSocket client)
    {
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", default).Within();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, client.CloseStatus);
        Assert.Equal("bye", client.CloseStatusDescription);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_of_any_size_go_both_ways_until_the_socket_is_closed(bool compressed)
    {
        var options = new WebSocketAcceptOptions { Compression = compressed };
        await using var server = new TestServer((response, request) => EchoUntilClosed(response, request, options));
        using ClientWebSocket client = await ConnectAsync(
            server, o => o.DangerousDeflateOptions = compressed ? new WebSocketDeflateOptions() : null);
        byte[] large = new byte[1024 * 1024];
        new Random(1).NextBytes(large);
        await AssertEchoAsync(client, WebSocketMessageType.Text, Encoding.UTF8.GetBytes("grüße"));
        await AssertEchoAsync(client, WebSocketMessageType.Binary, []);
        await AssertEchoAsync(client, WebSocketMessageType.Binary, large);
        await AssertEchoAsync(client, WebSocketMessageType.Text, Encoding.ASCII.GetBytes(new string('x', 300_000)));
        await CloseAsync(client);
    }

    [Fact]
    public async Task Many_sockets_at_once()
    {
        await using var server = new TestServer(EchoUntilClosed);
        await Parallel.ForAsync(0, 100, new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, _) =>
        {
            using ClientWebSocket client = await ConnectAsync(server);
            for (int message = 0; message < 5; message++)
                await AssertEchoAsync(client, WebSocketMessageType.Text, Encoding.ASCII.GetBytes($"{i}.{message}"));
            await CloseAsync(client);
        });
    }

    [Fact]
    public async Task A_client_that_vanishes_ends_the_receive()
    {
        var ended = new TaskCompletionSource<WebSocketException>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
            ended.SetResult(await Assert.ThrowsAsync<WebSocketException>(async () => await EchoUntilClosed(response, request))));
        using ClientWebSocket client = await ConnectAsync(server);
        await AssertEchoAsync(client, WebSocketMessageType.Text, "here"u8.ToArray());
        client.Abort();
        Assert.Equal(WebSocketError.ConnectionClosedPrematurely, (await ended.Task.Within()).WebSocketErrorCode);
    }

    [Fact]
    public async Task A_client_that_answers_no_ping_is_given_up()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TimeSpan soon = TimeSpan.FromMilliseconds(50);
        var options = new WebSocketAcceptOptions { KeepAliveInterval = soon, KeepAliveTimeout = soon };
        await using var server = new TestServer(async (response, request) =>
        {
            await Assert.ThrowsAnyAsync<Exception>(async () => await EchoUntilClosed(response, request, options));
            ended.SetResult();
        });
        using RawClient client = server.Connect();
        client.Send(HandshakeTests.Request());
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        Assert.Equal(0x89, client.ReadExactly(1, out _)[0]); // a ping
        await ended.Task.Within();
    }

    [Theory]
    [InlineData("b", "a", "b")]
    [InlineData("a", "b", "a")]
    public async Task The_servers_preferred_subprotocol_is_chosen(string preferred, string other, string expected)
    {
        var options = new WebSocketAcceptOptions { Subprotocols = { preferred, other } };
        await using var server = new TestServer((response, request) => EchoUntilClosed(response, request, options));
        using ClientWebSocket client = await ConnectAsync(server, static o =>
        {
            o.AddSubProtocol("a");
            o.AddSubProtocol("b");
        });
        Assert.Equal(expected, client.SubProtocol);
        await CloseAsync(client);
    }

    [Fact]
    public async Task A_frame_without_a_mask_ends_the_socket()
    {
        var ended = new TaskCompletionSource<WebSocketException>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
            ended.SetResult(await Assert.ThrowsAsync<WebSocketException>(async () => await EchoUntilClosed(response, request))));
        using RawClient client = server.Connect();
        client.Send(HandshakeTests.Request());
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        client.Send("\x81\x05hello");
        await ended.Task.Within();
        Assert.Equal("\x88\x02\x03\xea", Encoding.Latin1.GetString(client.ReadExactly(4, out _))); // 1002, protocol error
    }
}
