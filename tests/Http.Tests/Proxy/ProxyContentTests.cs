using System.Collections.Concurrent;
using System.Net.Sockets;

namespace NetGo.Http.Tests.Proxy;

/// <summary>The content of requests on its way to the backend.</summary>
public class ProxyContentTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static bool Has(string head, string line) => head.Contains($"\r\n{line}\r\n", StringComparison.OrdinalIgnoreCase);

    [Fact]
    public async Task With_a_length_it_keeps_its_length()
    {
        using var backend = new RawBackend(static peer =>
        {
            string head = peer.ReadHead();
            bool framed = Has(head, "Content-Length: 5") && !head.Contains("Transfer-Encoding", StringComparison.OrdinalIgnoreCase);
            string content = peer.Read(5);
            peer.Send($"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{framed,-5}{content}");
        });
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal("True hello", proxy.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Type: a/b\r\n\r\nhello").Text);
    }

    [Fact]
    public async Task Chunked_it_stays_chunked_and_what_has_come_is_not_held_back()
    {
        var pieces = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            string head = peer.ReadHead();
            Assert.True(Has(head, "Transfer-Encoding: chunked"));
            Assert.DoesNotContain("Content-Length", head, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Trailer", head, StringComparison.OrdinalIgnoreCase);
            pieces.Add(peer.Read(8));
            pieces.Add(peer.Read(8));
            pieces.Add(peer.Read(5));
            peer.Send(Ok);
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;ext=1\r\none\r\n");
        Assert.Equal("3\r\none\r\n", await Take(pieces)); // while the client has sent no more
        client.Send("0003\r\ntwo\r\n");
        Assert.Equal("3\r\ntwo\r\n", await Take(pieces));
        client.Send("0\r\nX: trailer\r\n\r\n");
        Assert.Equal("0\r\n\r\n", await Take(pieces)); // HttpClient sends no trailer fields
        Assert.Equal("ok", client.ReadResponse().Text);
    }

    private static Task<string> Take(BlockingCollection<string> from) => Task.Run(from.Take).Within();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Long_content_goes_through_both_ways(bool chunked)
    {
        await using var backend = new TestServer(Handlers.Echo);
        await using var proxy = new ProxyServer(ProxyServer.UrlOf(backend));
        byte[] content = new byte[5_000_000];
        new Random(1).NextBytes(content);
        using RawClient client = proxy.Connect();
        Task sending = Task.Run(() =>
        {
            client.Send($"POST / HTTP/1.1\r\nHost: h\r\n{(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {content.Length}")}\r\n\r\n");
            if (chunked)
                client.Send($"{content.Length:x}\r\n");
            client.Send(content);
            if (chunked)
                client.Send("\r\n0\r\n\r\n");
        });
        Assert.Equal(content, client.ReadResponse().Content);
        await sending.Within();
    }

    [Fact]
    public async Task It_is_taken_from_the_client_no_faster_than_the_backend_takes_it()
    {
        const int Total = 64 * 1024 * 1024;
        using var go = new ManualResetEventSlim();
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            go.Wait(Bounded.Limit);
            peer.Read(Total);
            peer.Send(Ok);
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url, null, static s => s.MaxRequestBodySize = long.MaxValue);
        using RawClient client = proxy.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {Total}\r\n\r\n");
        byte[] piece = new byte[64 * 1024];
        int sent = 0;
        client.Socket.Blocking = false;
        while (sent < Total && client.Socket.Poll(1_000_000, SelectMode.SelectWrite))
            sent += client.Socket.Send(piece.AsSpan(0, Math.Min(piece.Length, Total - sent)));
        Assert.True(sent < Total, "All of it has been taken from the client, while the backend has taken nothing.");
        client.Socket.Blocking = true;
        go.Set();
        client.Send(new byte[Total - sent]);
        Assert.Equal("ok", client.ReadResponse().Text);
    }

    [Fact]
    public async Task The_client_is_told_to_continue_when_the_backend_says_so()
    {
        using var backend = new RawBackend(static peer =>
        {
            Assert.True(Has(peer.ReadHead(), "Expect: 100-continue"));
            peer.Send("HTTP/1.1 100 Continue\r\n\r\n");
            Assert.Equal("hello", peer.Read(5));
            peer.Send(Ok);
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal(100, client.ReadAnyResponse().StatusCode);
        client.Send("hello");
        Assert.Equal("ok", client.ReadResponse().Text);
    }

    [Fact]
    public async Task A_client_that_waits_for_leave_is_not_asked_for_what_the_backend_refuses()
    {
        using var backend = RawBackend.Answering("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
        await using var proxy = new ProxyServer(backend.Url);
        using RawClient client = proxy.Connect();
        // Below 1,024 bytes HttpClient sends it all the same.
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(413, response.StatusCode);
        Assert.Equal("no", response.Text);
        Assert.True(response.HasConnectionClose); // what comes next may be the content or not
        client.AssertClosed();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n")]
    [InlineData("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n")]
    public async Task Where_there_is_nothing_to_wait_for_nothing_is_expected(string request)
    {
        using var backend = new RawBackend(static peer =>
        {
            Assert.DoesNotContain("Expect", peer.ReadHead(), StringComparison.Ordinal);
            peer.Send(Ok);
            peer.Finish();
        });
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(200, proxy.Exchange(request).StatusCode);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", 400)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: x\r\n\r\n", 400)]
    public async Task Content_that_is_broken_is_the_clients_fault_and_never_ends_well_for_the_backend(string rest, int status)
    {
        var ends = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            peer.ReadHead();
            string got;
            try
            {
                got = peer.ReadToEnd();
            }
            catch (IOException)
            {
                got = "reset";
            }
            ends.Add(got);
        });
        await using var proxy = new ProxyServer(backend.Url);
        RawResponse response = proxy.Exchange($"POST / HTTP/1.1\r\nHost: h\r\n{rest}");
        Assert.Equal(status, response.StatusCode);
        Assert.True(response.HasConnectionClose);
        Assert.DoesNotContain("\r\n0\r\n\r\n", await Take(ends), StringComparison.Ordinal);
        Assert.Empty(proxy.Log.Entries);
    }

    [Fact]
    public async Task Too_long_content_is_the_clients_fault()
    {
        using var backend = new RawBackend(static peer => peer.ReadToEnd());
        await using var proxy = new ProxyServer(backend.Url, null, static s => s.MaxRequestBodySize = 10);
        Assert.Equal(413, proxy.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello hello\r\n0\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_client_that_stops_sending_is_told_so_in_time()
    {
        using var backend = new RawBackend(static peer => peer.ReadToEnd());
        await using var proxy = new ProxyServer(backend.Url, null, static s => s.ReadTimeout = TimeSpan.FromMilliseconds(50));
        Assert.Equal(408, proxy.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello").StatusCode);
    }

    [Fact]
    public async Task The_backend_is_not_blamed_for_a_client_that_is_slow()
    {
        var got = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            for (string head; (head = peer.ReadHead()).Length > 0; peer.Send(Ok))
            {
                if (head.StartsWith("GET /hangs", StringComparison.Ordinal))
                    peer.ReadToEnd();
                if (head.StartsWith("POST", StringComparison.Ordinal))
                {
                    got.Add(peer.Read(5));
                    got.Add(peer.Read(5));
                }
            }
        });
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(200, proxy.Exchange("GET /first HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode); // connected: that takes none of the time
        proxy.Proxy.ResponseTimeout = TimeSpan.FromSeconds(2);
        using RawClient client = proxy.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
        Assert.Equal("hello", await Take(got));
        Assert.Equal(504, proxy.Exchange("GET /hangs HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode); // so the time has passed for the first one too
        client.Send("world");
        Assert.Equal(200, client.ReadResponse().StatusCode);
    }

    [Fact]
    public async Task What_may_have_been_done_is_not_asked_for_again()
    {
        var heads = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            heads.Add(peer.ReadHead());
            peer.Send(Ok);
            string second = peer.ReadHead();
            if (second.Length > 0)
                heads.Add(second);
        });
        await using var proxy = new ProxyServer(backend.Url);
        foreach (string request in new[] { "POST / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" })
        {
            int before = heads.Count;
            Assert.Equal(200, proxy.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
            RawResponse response = proxy.Exchange(request); // on the connection that is kept; which then ends
            Assert.Equal(502, response.StatusCode);
            Assert.Equal(before + 2, heads.Count);
        }
    }

    [Fact]
    public async Task A_connection_is_kept_and_used_again()
    {
        int opened = 0;
        await using var backend = new TestServer(
            Handlers.Echo, s => s.OnConnState = (_, state) => opened += state == ConnState.New ? 1 : 0);
        await using var proxy = new ProxyServer(ProxyServer.UrlOf(backend));
        using RawClient client = proxy.Connect();
        for (int i = 0; i < 10; i++)
            Assert.Equal("hello", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").Text);
        Assert.Equal(1, opened);
    }
}
