using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace NetGo.Http.Tests.Proxy;

/// <summary>Backends that fail, hang or speak badly.</summary>
public class ProxyFailureTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact]
    public async Task Nobody_there_is_a_bad_gateway()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // and does not listen
        await using var proxy = new ProxyServer(new Uri($"http://{socket.LocalEndPoint}/"));
        using RawClient client = proxy.Connect();
        for (int i = 0; i < 2; i++) // the client's connection goes on
        {
            RawResponse response = client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
            Assert.Equal(502, response.StatusCode);
            Assert.Equal("502 Bad Gateway\n", response.Text);
        }
        Assert.Equal(2, proxy.Log.Entries.Count(static e => e.Level == LogLevel.Warning && e.Exception is HttpRequestException));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: 1")]
    [InlineData("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\u0001b\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nab")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n")]
    public async Task What_cannot_be_passed_on_is_a_bad_gateway(string answer)
    {
        using RawBackend backend = RawBackend.Answering(answer);
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        RawResponse response = client.Exchange(Get);
        Assert.Equal(502, response.StatusCode);
        Assert.Equal("502 Bad Gateway\n", response.Text);
        Assert.False(response.Has("X") || response.Has("Set-Cookie"));
        Assert.Equal(502, client.Exchange(Get).StatusCode);
    }

    [Theory]
    [InlineData("X: a\rSet-Cookie: b", "a Set-Cookie: b")]
    [InlineData("X: a\0b", "a b")]
    [InlineData("X: a\r\n Set-Cookie: b", "a Set-Cookie: b")]
    [InlineData("X : a", "a")]
    public async Task No_field_becomes_two_and_none_ends_early(string line, string expected)
    {
        using RawBackend backend = RawBackend.Answering($"HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 0\r\n\r\n");
        await using var proxy = new ProxyServer(backend.Url);
        RawResponse response = proxy.Exchange(Get);
        Assert.Equal(expected, string.Join(' ', response.Get("X")!.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.False(response.Has("Set-Cookie"));
    }

    [Fact]
    public async Task A_head_without_end_is_a_bad_gateway()
    {
        using var backend = new RawBackend(static peer =>
        {
            peer.ReadHead();
            peer.Send("HTTP/1.1 200 OK\r\n");
            while (true)
                peer.Send("X: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
        });
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(502, proxy.Exchange(Get).StatusCode);
    }

    [Theory]
    [InlineData("Content-Length: 10\r\n\r\nhello", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\na\r\nhello", false)]
    [InlineData("Content-Length: 10\r\n\r\nhello", true)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true)]
    [InlineData("\r\n", true)]
    public async Task A_response_that_breaks_off_breaks_off_for_the_client_too(string rest, bool resets)
    {
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            peer.Send("HTTP/1.1 200 OK\r\n" + rest);
            if (resets)
                peer.Reset();
            else
                peer.Finish();
        });
        foreach (string request in new[] { Get, "GET / HTTP/1.0\r\n\r\n" })
        {
            await using var proxy = new ProxyServer(backend.Url);
            using RawClient client = proxy.Connect();
            client.Send(request);
            RawResponse? response = null;
            try
            {
                response = client.ReadResponse();
            }
            catch (EndOfStreamException)
            {
                // A reset may overtake all that was sent before it.
            }
            if (response is { StatusCode: 502 } && resets)
                continue; // and that of the backend may have overtaken its head
            Assert.True(response is null || !response.IsComplete || response.EndedByClose);
            client.AssertClosed();
            Assert.True(client.WasReset || response is { EndedByClose: false }, "It looks like a whole response.");
            Assert.Contains(proxy.Log.Entries, static e => e.Level == LogLevel.Warning);
        }
    }

    [Theory]
    [InlineData("Content-Length: 20000000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task A_backend_that_refuses_content_half_way_leaves_the_client_with_an_answer(string framing)
    {
        using var backend = new RawBackend(static peer =>
        {
            peer.ReadHead();
            peer.Send("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
            peer.Socket.Shutdown(SocketShutdown.Send); // and is closed with content unread: a reset
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        string request = $"POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n{(framing[0] == 'T' ? "1312d00\r\n" : "")}{new string('x', 20_000_000)}";
        new Thread(() => SendUntilClosed(client, request)) { IsBackground = true }.Start();
        RawResponse response = client.ReadResponse();
        Assert.True(response.StatusCode is 413 or 502, $"{response.StatusCode}"); // HttpClient may see the reset first
    }

    private static void SendUntilClosed(RawClient client, string request)
    {
        try
        {
            client.Send(request);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody wants the rest.
        }
    }

    [Fact]
    public async Task A_backend_that_does_not_answer_is_a_gateway_timeout()
    {
        using var backend = new RawBackend(static peer => peer.ReadToEnd());
        await using var proxy = new ProxyServer(backend.Url, static p => p.ResponseTimeout = TimeSpan.FromMilliseconds(20));
        using RawClient client = proxy.Connect();
        foreach (string request in new[] { Get, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" })
        {
            RawResponse response = client.Exchange(request);
            Assert.Equal(504, response.StatusCode);
            Assert.Equal("504 Gateway Timeout\n", response.Text);
        }
    }

    [Fact]
    public async Task A_connection_that_does_not_come_about_is_a_gateway_timeout()
    {
        using SocketsHttpHandler transport = ReverseProxy.NewTransport();
        transport.ConnectTimeout = TimeSpan.FromMilliseconds(20);
        transport.ConnectCallback = static async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return Stream.Null;
        };
        await using var proxy = new ProxyServer(new Uri("http://127.0.0.1:1"), p => p.Transport = transport);
        Assert.Equal(504, proxy.Exchange(Get).StatusCode);
    }

    [Fact]
    public async Task A_response_that_has_begun_may_take_longer()
    {
        using var go = new ManualResetEventSlim();
        using var backend = new RawBackend(peer =>
        {
            string head = peer.ReadHead();
            if (head.StartsWith("GET /hangs", StringComparison.Ordinal))
            {
                peer.ReadToEnd();
                return;
            }
            if (head.StartsWith("GET /first", StringComparison.Ordinal))
            {
                peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                peer.ReadHead();
            }
            peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            go.Wait(Bounded.Limit);
            peer.Send("hello");
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(200, proxy.Exchange("GET /first HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode); // connected: that takes none of the time
        proxy.Proxy.ResponseTimeout = TimeSpan.FromSeconds(2);
        using RawClient client = proxy.Connect();
        client.Send(Get);
        string head = "";
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
            head += Encoding.Latin1.GetString(client.ReadExactly(1, out _));
        Assert.Equal(504, proxy.Exchange("GET /hangs HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode); // so the time has passed for the first one too
        go.Set();
        Assert.Equal("hello", Encoding.Latin1.GetString(client.ReadExactly(5, out _)));
    }

    [Fact]
    public async Task The_times_have_limits()
    {
        await using var proxy = new ProxyServer(new Uri("http://127.0.0.1:1"), static p =>
        {
            Assert.Equal(TimeSpan.FromSeconds(100), p.ResponseTimeout);
            Assert.Throws<ArgumentOutOfRangeException>(() => p.ResponseTimeout = TimeSpan.Zero);
            Assert.Throws<ArgumentOutOfRangeException>(() => p.ResponseTimeout = TimeSpan.FromDays(50));
            p.ResponseTimeout = Timeout.InfiniteTimeSpan;
        });
        using SocketsHttpHandler transport = ReverseProxy.NewTransport();
        Assert.Equal(TimeSpan.FromSeconds(30), transport.ConnectTimeout);
        Assert.Equal(32, transport.MaxResponseHeadersLength);
        Assert.Equal(502, proxy.Exchange(Get).StatusCode);
    }

    [Fact]
    public async Task ErrorHandler_answers_in_the_proxys_place()
    {
        using RawBackend hanging = new(static peer => peer.ReadToEnd());
        using RawBackend broken = RawBackend.Answering("nonsense\r\n\r\n");
        using RawBackend good = RawBackend.Answering("HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n\r\nok");
        foreach ((RawBackend backend, string expected) in ((RawBackend, string)[])
            [(hanging, "TimeoutException"), (broken, "HttpRequestException"), (good, "InvalidOperationException")])
        {
            await using var proxy = new ProxyServer(backend.Url, p =>
            {
                p.ResponseTimeout = backend == hanging ? TimeSpan.FromMilliseconds(20) : Timeout.InfiniteTimeSpan;
                p.ModifyResponse = static _ => throw new InvalidOperationException("The response is not wanted.");
                p.ErrorHandler = static async (response, request, error) =>
                {
                    response.WriteHeader(503);
                    await response.WriteAsync(error.GetType().Name);
                };
            });
            RawResponse response = proxy.Exchange(Get);
            Assert.Equal(503, response.StatusCode);
            Assert.Equal(expected, response.Text);
            Assert.False(response.Has("X"));
        }
    }

    [Fact]
    public async Task A_proxy_that_has_been_disposed_of_serves_no_more()
    {
        using RawBackend backend = RawBackend.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(200, proxy.Exchange(Get).StatusCode);
        proxy.Proxy.Dispose();
        Assert.Equal(500, proxy.Exchange(Get).StatusCode);
    }
}
