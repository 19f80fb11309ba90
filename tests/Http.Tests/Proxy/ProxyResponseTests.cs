using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NetGo.Http.Tests.Proxy;

/// <summary>What the client gets to see when all goes well.</summary>
public class ProxyResponseTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static async Task<RawResponse> ResponseTo(string request, string answer, Action<ReverseProxy>? configure = null)
    {
        using RawBackend backend = RawBackend.Answering(answer);
        await using var proxy = new ProxyServer(backend.Url, configure);
        return proxy.Exchange(request);
    }

    [Fact]
    public async Task Status_and_fields_are_those_of_the_backend()
    {
        RawResponse response = await ResponseTo(
            Get,
            "HTTP/1.1 418 Whatever\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: backend\r\nX-Latin: gr\u00fc\u00dfe\r\nX-Empty:\r\n" +
            "Set-Cookie: a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\nSet-Cookie: b=2\r\nLocation: /gr\u00c3\u00bc\u00dfe\r\nContent-Encoding: gzip\r\n" +
            "Content-Type: odd\r\nETag: nonsense\r\nExpires: 0\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" +
            "Content-Length: 3\r\n\r\nabc");
        Assert.Equal(418, response.StatusCode);
        Assert.Equal("abc", response.Text);
        Assert.Equal("Thu, 01 Jan 1970 00:00:00 GMT", response.Get("Date"));
        Assert.Equal("backend", response.Get("Server"));
        Assert.Equal("gr\u00fc\u00dfe", response.Get("X-Latin"));
        Assert.Equal("", response.Get("X-Empty"));
        Assert.Equal(["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2"], response.GetAll("Set-Cookie"));
        Assert.Equal("/gr\u00c3\u00bc\u00dfe", response.Get("Location"));
        Assert.Equal("gzip", response.Get("Content-Encoding"));
        Assert.Equal("odd", response.Get("Content-Type"));
        Assert.Equal("nonsense", response.Get("ETag"));
        Assert.Equal("0", response.Get("Expires"));
        Assert.Equal(["Negotiate", "Basic realm=\"x\""], response.GetAll("WWW-Authenticate"));
        Assert.Equal("3", response.Get("Content-Length"));
        Assert.False(response.Has("Transfer-Encoding"));
    }

    [Fact]
    public async Task What_concerns_the_connection_only_is_not_passed_on()
    {
        RawResponse response = await ResponseTo(
            Get,
            "HTTP/1.1 200 OK\r\nConnection: close, X-Named\r\nX-Named: 1\r\nKeep-Alive: timeout=1\r\nProxy-Authenticate: x\r\nProxy-Connection: x\r\n" +
            "Upgrade: foo\r\nTE: x\r\nX-Stays: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        Assert.Equal("abc", response.Text);
        Assert.Equal("1", response.Get("X-Stays"));
        Assert.All(
            (string[])["Connection", "X-Named", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Upgrade", "TE"],
            name => Assert.False(response.Has(name), name));
    }

    [Theory]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX: 1\r\n\r\n", "12345")]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n", null)]
    [InlineData("HEAD", "HTTP/1.1 200 OK\r\nX: 1\r\n\r\n", null)]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n", null)]
    [InlineData("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX: 1\r\n\r\n", null)]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nX: 1\r\n\r\n", null)]
    [InlineData("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nX: 1\r\n\r\n", "7")]
    public async Task What_has_no_content_gets_none(string method, string answer, string? length)
    {
        using RawBackend backend = new(peer =>
        {
            while (peer.ReadHead().Length > 0)
                peer.Send(answer);
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        for (int i = 0; i < 3; i++) // the connections go on, both of them
        {
            RawResponse response = client.Exchange($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal("1", response.Get("X"));
            Assert.Equal(length, response.Get("Content-Length"));
            Assert.False(response.Has("Transfer-Encoding"));
        }
        Assert.Equal(1, backend.Connections);
    }

    [Fact]
    public async Task Trailer_fields_follow_and_are_announced()
    {
        RawResponse response = await ResponseTo(
            Get,
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Content-Length, X-Other\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n" +
            "Connection: close\r\n\r\n");
        Assert.Equal("abc", response.Text);
        Assert.Equal("X-Sum, X-Other", response.Get("Trailer"));
        Assert.Equal([new("X-Sum", "1"), new("X-Other", "2")], response.Trailer);
    }

    [Fact]
    public async Task Content_to_the_end_of_the_connection_is_chunked()
    {
        RawResponse response = await ResponseTo(Get, "HTTP/1.1 200 OK\r\n\r\n" + new string('x', 100_000));
        Assert.Equal(new string('x', 100_000), response.Text);
        Assert.Equal("chunked", response.Get("Transfer-Encoding"));
        RawResponse old = await ResponseTo("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        Assert.Equal("abc", old.Text);
        Assert.False(old.Has("Transfer-Encoding"));
    }

    [Fact]
    public async Task Chunked_content_has_no_other_length()
    {
        RawResponse response = await ResponseTo(
            Get, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        Assert.Equal("abc", response.Text);
        Assert.NotEqual("1", response.Get("Content-Length"));
    }

    [Theory]
    [InlineData("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", "7\r\ndata: 1\r\n", "7\r\ndata: 2\r\n", "0\r\n\r\n")]
    [InlineData("", "data: 1", "data: 2", "")]
    [InlineData("Content-Length: 14\r\n", "data: 1", "data: 2", "")]
    public async Task Nothing_is_held_back(string fields, string first, string second, string end)
    {
        using var go = new SemaphoreSlim(0);
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            peer.Send($"HTTP/1.1 200 OK\r\nX: 1\r\n{fields}\r\n");
            foreach (string piece in (string[])[first, second, end])
            {
                Assert.True(go.Wait(Bounded.Limit));
                peer.Send(piece);
            }
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send(Get);
        string seen = "";
        void ReadUntil(string text)
        {
            while (!seen.Contains(text, StringComparison.Ordinal))
                seen += Encoding.Latin1.GetString(client.ReadExactly(1, out bool complete)) + (complete ? "" : throw new EndOfStreamException(seen));
        }

        ReadUntil("\r\n\r\n"); // the head, though there is no content yet
        go.Release();
        ReadUntil("data: 1");
        go.Release();
        ReadUntil("data: 2");
        go.Release();
        if (!fields.Contains("Length", StringComparison.Ordinal))
            ReadUntil("0\r\n\r\n");
    }

    [Fact]
    public async Task Events_of_a_stream_come_one_by_one_and_the_backend_learns_that_the_client_has_gone()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new TestServer(async (response, request) =>
        {
            response.Header.Set("Content-Type", "text/event-stream");
            await response.WriteAsync("data: 1\n\n");
            await response.FlushAsync();
            using CancellationTokenRegistration _ = request.Aborted.Register(gone.SetResult);
            await gone.Task;
        });
        await using var proxy = new ProxyServer(ProxyServer.UrlOf(backend));
        using (RawClient client = proxy.Connect())
        {
            client.Send(Get);
            string seen = "";
            while (!seen.EndsWith("data: 1\n\n", StringComparison.Ordinal))
                seen += Encoding.Latin1.GetString(client.ReadExactly(1, out _));
        }
        await gone.Task.Within();
    }

    [Fact]
    public async Task A_client_that_goes_before_there_is_a_response_ends_the_backends_request()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new TestServer(async (_, request) =>
        {
            using CancellationTokenRegistration _2 = request.Aborted.Register(gone.SetResult);
            begun.SetResult();
            await gone.Task;
        });
        await using var proxy = new ProxyServer(ProxyServer.UrlOf(backend));
        using RawClient client = proxy.Connect();
        client.Send(Get);
        await begun.Task.Within();
        client.Reset();
        await gone.Task.Within();
    }

    [Fact]
    public async Task It_is_taken_from_the_backend_no_faster_than_the_client_takes_it()
    {
        const int Total = 64 * 1024 * 1024;
        var sentBeforeStop = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            peer.Send($"HTTP/1.1 200 OK\r\nContent-Length: {Total}\r\n\r\n");
            byte[] piece = new byte[64 * 1024];
            int sent = 0;
            peer.Socket.Blocking = false;
            while (sent < Total && peer.Socket.Poll(1_000_000, SelectMode.SelectWrite))
                sent += peer.Socket.Send(piece.AsSpan(0, Math.Min(piece.Length, Total - sent)));
            peer.Socket.Blocking = true;
            sentBeforeStop.SetResult(sent);
            peer.Send(new string('\0', Total - sent));
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send(Get);
        Assert.InRange(await sentBeforeStop.Task.Within(), 1, Total - 1);
        Assert.Equal(Total, client.ReadResponse().Content.Length);
    }

    [Fact]
    public async Task Informational_responses_end_at_the_proxy()
    {
        using RawBackend backend = RawBackend.Answering(
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send(Get);
        RawResponse response = client.ReadAnyResponse(); // HttpClient shows none
        Assert.Equal(200, response.StatusCode);
        Assert.False(response.Has("Link"));
        Assert.Equal("ok", response.Text);
    }

    [Fact]
    public async Task Redirects_cookies_and_credentials_are_the_clients_business()
    {
        var requests = new ConcurrentQueue<string>();
        using var backend = new RawBackend(peer =>
        {
            while (peer.ReadHead() is { Length: > 0 } head)
            {
                requests.Enqueue(head);
                peer.Send("HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n");
            }
        });
        await using var proxy = new ProxyServer(backend.Url);
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = proxy.Exchange(Get);
            Assert.Equal(302, response.StatusCode);
            Assert.Equal("/other", response.Get("Location"));
        }
        Assert.Equal(2, requests.Count);
        Assert.DoesNotContain(requests, static head => head.Contains("Cookie", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task ModifyResponse_has_the_last_word()
    {
        RawResponse response = await ResponseTo(
            Get,
            "HTTP/1.1 200 OK\r\nX-Secret: 1\r\nContent-Length: 2\r\n\r\nok",
            static p => p.ModifyResponse = static answer =>
            {
                answer.StatusCode = HttpStatusCode.Accepted;
                answer.Headers.Remove("X-Secret");
                answer.Headers.Add("X-New", "1");
                answer.Content = new StringContent("other content");
                return default;
            });
        Assert.Equal(202, response.StatusCode);
        Assert.Equal("other content", response.Text);
        Assert.Equal("1", response.Get("X-New"));
        Assert.False(response.Has("X-Secret"));
    }

    [Fact]
    public async Task A_transport_of_ones_own_is_used_and_not_disposed_of()
    {
        using RawBackend backend = RawBackend.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        using SocketsHttpHandler transport = ReverseProxy.NewTransport();
        for (int i = 0; i < 2; i++)
        {
            await using var proxy = new ProxyServer(backend.Url, p => p.Transport = transport);
            Assert.Equal("ok", proxy.Exchange(Get).Text);
        }
    }

    [Fact]
    public async Task Many_at_once_get_what_is_theirs()
    {
        await using var backend = new TestServer(Handlers.Echo);
        await using var proxy = new ProxyServer(ProxyServer.UrlOf(backend));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() =>
        {
            using RawClient client = proxy.Connect();
            for (int j = 0; j < 50; j++)
            {
                string content = $"{i}-{j}-{new string('x', j * 100)}";
                Assert.Equal(content, client.Exchange($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {content.Length}\r\n\r\n{content}").Text);
            }
        }))).Within();
    }
}
