using System.Net.WebSockets;

namespace NetGo.Http.Tests.WebSockets;

/// <summary>The opening handshake on the wire: RFC 6455, section 4.2, and RFC 7692, section 7.1.</summary>
public class HandshakeTests
{
    private static readonly WebSocketAcceptOptions s_options = new()
    {
        Subprotocols = { "chat" },
        AllowedOrigins = { "https://friend.example" },
        Compression = true,
    };

    // The example of RFC 6455, section 1.3.
    internal const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    internal static string Request(
        string line = "GET / HTTP/1.1", string connection = "keep-alive, Upgrade", string upgrade = "WebSocket", string version = "13",
        string key = Key, string more = "") =>
        $"{line}\r\nHost: h:80\r\nConnection: {connection}\r\nUpgrade: {upgrade}\r\nSec-WebSocket-Version: {version}\r\n" +
        $"Sec-WebSocket-Key: {key}\r\n{more}\r\n";

    private static async ValueTask Accept(ResponseWriter response, Request request)
    {
        using WebSocket? socket = await response.AcceptWebSocketAsync(request, s_options);
    }

    private static async Task<RawResponse> AnswerAsync(string request)
    {
        await using var server = new TestServer(Accept);
        using RawClient client = server.Connect();
        client.Send(request);
        return client.ReadAnyResponse(request[..4] == "HEAD" ? "HEAD" : "GET");
    }

    [Fact]
    public async Task A_whole_handshake_is_accepted()
    {
        RawResponse response = await AnswerAsync(Request());
        Assert.Equal(101, response.StatusCode);
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", response.Get("Sec-WebSocket-Accept"));
        Assert.Equal("websocket", response.Get("Upgrade"));
        Assert.Equal("Upgrade", response.Get("Connection"));
        Assert.False(response.Has("Sec-WebSocket-Protocol") || response.Has("Sec-WebSocket-Extensions"));
    }

    public static TheoryData<string, int> Refused => new()
    {
        { Request(line: "POST / HTTP/1.1"), 405 },
        { Request(line: "HEAD / HTTP/1.1"), 405 },
        { Request(line: "GET / HTTP/1.0"), 426 },
        { Request(connection: "keep-alive"), 426 },
        { Request(upgrade: "h2c"), 426 },
        { Request(version: "12"), 426 },
        { Request(version: "13, 8"), 426 },
        { Request(more: "Sec-WebSocket-Version: 8\r\n"), 426 },
        { Request(key: ""), 400 },
        { Request(key: "dGhlIHNhbXBsZSBub25jZQ"), 400 },
        { Request(key: "dGhlIHNhbXBsZSBub25jZWQ="), 400 },
        { Request(key: "dGhl IHNhbXBsZSBub25jZ=="), 400 },
        { Request(more: $"Sec-WebSocket-Key: {Key}\r\n"), 400 },
        { Request(more: "Sec-WebSocket-Protocol: a, a\r\n"), 400 },
        { Request(more: "Sec-WebSocket-Protocol: a b\r\n"), 400 },
        { Request(more: "Content-Length: 1\r\n") + "x", 400 },
        { Request(more: "Origin: http://evil.example\r\n"), 403 },
        { Request(more: "Origin: http://h\r\n"), 403 },
        { Request(more: "Origin: http://h:80.evil.example\r\n"), 403 },
        { Request(more: "Origin: null\r\n"), 403 },
        { Request(more: "Origin: http://h:80\r\nOrigin: http://evil.example\r\n"), 403 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Anything_else_is_refused(string request, int status)
    {
        RawResponse response = await AnswerAsync(request);
        Assert.Equal(status, response.StatusCode);
        if (status == 426)
        {
            Assert.Equal("websocket", response.Get("Upgrade"));
            Assert.Contains("Upgrade", response.Get("Connection"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Another_version_is_told_the_right_one() =>
        Assert.Equal("13", (await AnswerAsync(Request(version: "7"))).Get("Sec-WebSocket-Version"));

    [Theory]
    [InlineData("http://h:80")]
    [InlineData("https://H:80")]
    [InlineData("https://friend.example")]
    public async Task Pages_of_the_host_and_of_friends_may_connect(string origin) =>
        Assert.Equal(101, (await AnswerAsync(Request(more: $"Origin: {origin}\r\n"))).StatusCode);

    [Theory]
    [InlineData("chat", "chat")]
    [InlineData("superchat, chat", "chat")]
    [InlineData("superchat", null)]
    public async Task A_subprotocol_is_chosen_of_those_offered(string offered, string? chosen) =>
        Assert.Equal(chosen,
            (await AnswerAsync(Request(more: $"Sec-WebSocket-Protocol: {offered}\r\n"))).Get("Sec-WebSocket-Protocol"));

    [Theory]
    [InlineData("permessage-deflate", "permessage-deflate")]
    [InlineData("permessage-deflate; client_max_window_bits", "permessage-deflate")]
    [InlineData("permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10")]
    [InlineData("permessage-deflate; server_max_window_bits=\"12\"; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=12; server_no_context_takeover")]
    [InlineData("permessage-deflate; server_max_window_bits=8, permessage-deflate; client_no_context_takeover",
        "permessage-deflate; client_no_context_takeover")]
    [InlineData("x-other, permessage-deflate", "permessage-deflate")]
    [InlineData("permessage-deflate; server_max_window_bits=16", null)]
    [InlineData("permessage-deflate; server_max_window_bits=010", null)]
    [InlineData("permessage-deflate; server_max_window_bits", null)]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover", null)]
    [InlineData("permessage-deflate; server_no_context_takeover=1", null)]
    [InlineData("permessage-deflate; unknown", null)]
    [InlineData("x-other", null)]
    public async Task Compression_is_agreed_on_as_offered(string offered, string? accepted) =>
        Assert.Equal(accepted,
            (await AnswerAsync(Request(more: $"Sec-WebSocket-Extensions: {offered}\r\n"))).Get("Sec-WebSocket-Extensions"));
}
