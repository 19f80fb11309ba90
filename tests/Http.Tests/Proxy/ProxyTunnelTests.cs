using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;

namespace NetGo.Http.Tests.Proxy;

/// <summary>Switching protocols through a proxy: RFC 9110, section 7.8.</summary>
public class ProxyTunnelTests
{
    private const string Upgrade = "GET /x HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c, foo/1, Echo\r\nHTTP2-Settings: x\r\n\r\n";
    private const string Switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: Echo\r\nX-Own: 1\r\n\r\n";

    private static Task<string> Take(BlockingCollection<string> from) => Task.Run(from.Take).Within();

    private static string Read(RawClient client, int count) => Encoding.Latin1.GetString(client.ReadExactly(count, out _));

    [Fact]
    public async Task A_WebSocket_goes_through()
    {
        await using var backend = new TestServer(static async (response, request) =>
        {
            if (await response.AcceptWebSocketAsync(request, new WebSocketAcceptOptions { AllowedOrigins = { "*" } }) is not { } accepted)
                return;
            using WebSocket socket = accepted;
            byte[] buffer = new byte[16 * 1024];
            while (await socket.ReceiveAsync(buffer.AsMemory(), default) is var received && received.MessageType != WebSocketMessageType.Close)
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, request.Header["X-Forwarded-For"], default);
        });
        await using var proxy = new ProxyServer(ProxyServer.UrlOf(backend));
        using var client = new ClientWebSocket();
        client.Options.Proxy = null;
        await client.ConnectAsync(new Uri($"ws://{proxy.Front.EndPoint}/ws"), default).Within();
        byte[] large = new byte[1024 * 1024];
        new Random(1).NextBytes(large);
        Task sending = client.SendAsync(large, WebSocketMessageType.Binary, true, default);
        byte[] got = new byte[large.Length];
        for (int n = 0; n < got.Length;)
            n += (await client.ReceiveAsync(new ArraySegment<byte>(got, n, got.Length - n), default).Within()).Count;
        await sending.Within();
        Assert.Equal(large, got);
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", default).Within();
        Assert.Equal("127.0.0.1", client.CloseStatusDescription);
    }

    [Fact]
    public async Task Each_side_ends_on_its_own_and_what_came_with_the_heads_is_not_lost()
    {
        var got = new BlockingCollection<string>();
        using var clientEnded = new ManualResetEventSlim();
        using var backend = new RawBackend(peer =>
        {
            got.Add(peer.ReadHead());
            peer.Send(Switching + "from the backend");
            got.Add(peer.ReadToEnd());
            clientEnded.Set();
            peer.Send(", after the client's end");
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send(Upgrade + "from the client");
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(101, response.StatusCode);
        Assert.Equal("Echo", response.Get("Upgrade"));
        Assert.Equal("Upgrade", response.Get("Connection"));
        Assert.Equal("1", response.Get("X-Own"));
        string head = await Take(got);
        Assert.Contains("\r\nUpgrade: foo/1, Echo\r\n", head, StringComparison.Ordinal); // and no h2c
        Assert.Contains("\r\nConnection: Upgrade\r\n", head, StringComparison.Ordinal);
        Assert.Equal("from the backend", Read(client, 16));
        client.Send(", and more");
        client.HalfClose();
        Assert.Equal("from the client, and more", await Take(got));
        Assert.Equal(", after the client's end", Encoding.Latin1.GetString(client.ReadToEnd()));
        Assert.False(client.WasReset);
    }

    [Fact]
    public async Task The_backend_may_end_first()
    {
        var got = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            peer.Send(Switching + "bye");
            peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            got.Add(peer.ReadToEnd());
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send(Upgrade);
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        Assert.Equal("bye", Encoding.Latin1.GetString(client.ReadToEnd()));
        client.Send("still here");
        client.HalfClose();
        Assert.Equal("still here", await Take(got));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_fails_ends_it_for_the_other(bool client)
    {
        var ended = new BlockingCollection<string>();
        using var fail = new ManualResetEventSlim();
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            peer.Send(Switching);
            if (client)
            {
                try
                {
                    ended.Add(peer.ReadToEnd());
                }
                catch (IOException)
                {
                    ended.Add("");
                }
                return;
            }
            fail.Wait(Bounded.Limit);
            peer.Reset();
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient peer = proxy.Connect();
        peer.Send(Upgrade);
        Assert.Equal(101, peer.ReadAnyResponse().StatusCode);
        if (client)
        {
            peer.Reset();
            await Take(ended);
            return;
        }
        fail.Set();
        peer.AssertClosed();
    }

    [Fact]
    public async Task With_a_transport_of_ones_own_an_end_ends_both()
    {
        using var backend = new RawBackend(static peer =>
        {
            peer.ReadHead();
            peer.Send(Switching);
            peer.Send(peer.Read(5));
            Assert.Equal("", peer.ReadToEnd());
        });
        using SocketsHttpHandler transport = ReverseProxy.NewTransport();
        await using var proxy = new ProxyServer(backend.Url, p => p.Transport = transport);
        using RawClient client = proxy.Connect();
        client.Send(Upgrade + "hello");
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        Assert.Equal("hello", Read(client, 5));
        client.HalfClose();
        client.AssertClosed();
    }

    [Theory]
    [InlineData("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", 403)]
    [InlineData("HTTP/1.1 426 No\r\nConnection: Upgrade\r\nUpgrade: other\r\nContent-Length: 2\r\n\r\nno", 426)]
    [InlineData("HTTP/1.1 200 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 200)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n", 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Echo, foo/1\r\n\r\n", 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: Echo\r\n\r\n", 502)]
    public async Task A_backend_that_does_not_switch_as_asked_leaves_the_client_with_HTTP(string answer, int status)
    {
        using RawBackend backend = RawBackend.Answering(answer);
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange(Upgrade);
            Assert.Equal(status, response.StatusCode);
            Assert.Equal(status == 502 ? "502 Bad Gateway\n" : "no", response.Text);
            Assert.False(response.Has("Upgrade") || response.Has("Connection"));
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")]
    public async Task Nothing_is_asked_of_the_backend_that_the_client_may_not_ask(string request)
    {
        var heads = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            heads.Add(peer.ReadHead());
            peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal("ok", proxy.Exchange(request).Text);
        string head = await Take(heads);
        Assert.DoesNotContain("Upgrade", head, StringComparison.Ordinal);
        Assert.DoesNotContain("HTTP2-Settings", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disposing_of_the_proxy_ends_its_tunnels()
    {
        using var backend = new RawBackend(static peer =>
        {
            peer.ReadHead();
            peer.Send(Switching);
            peer.ReadToEnd();
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send(Upgrade);
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        proxy.Proxy.Dispose();
        client.AssertClosed();
    }
}
