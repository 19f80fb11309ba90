namespace NetGo.Http.Tests;

/// <summary>Responses that must not have content, and what they may say of its length.</summary>
public class ResponseContentTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Head_says_no_length_that_Get_would_not_have(bool flushes)
    {
        // RFC 9110, section 8.6: a handler may leave out for HEAD what it would write for GET.
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Method == "HEAD")
            {
                if (flushes)
                    await response.FlushAsync();
                return;
            }

            await response.WriteAsync("hello");
        });
        using RawClient client = server.Connect();
        RawResponse head = client.Exchange("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(200, head.StatusCode);
        Assert.True(head.Get("Content-Length") is null or "5", "Content-Length: " + head.Get("Content-Length"));
        Assert.Equal("hello", client.Exchange(Get).Text);
    }

    [Theory]
    [InlineData("HEAD / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\nno field\r\n\r\n", 400)]
    [InlineData("HEAD /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [InlineData("HEAD / HTTP/3.0\r\nHost: h\r\n\r\n", 505)]
    [InlineData("HEAD /long HTTP/1.1\r\nHost: h\r\n\r\n", 414)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\nLarge: {0}\r\n\r\n", 431)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\nExpect: something\r\n\r\n", 417)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", 413)]
    [InlineData("HEAD /fails HTTP/1.1\r\nHost: h\r\n\r\n", 500)]
    [InlineData("HEAD /none HTTP/1.1\r\nHost: h\r\n\r\n", 404)]
    [InlineData("HEAD /post HTTP/1.1\r\nHost: h\r\n\r\n", 405)]
    [InlineData("HEAD /x/../y HTTP/1.1\r\nHost: h\r\n\r\n", 307)]
    [InlineData("HEAD /get HTTP/1.1\r\nHost: h\r\n\r\n", 200)]
    public async Task Head_is_answered_without_content_by_errors_too(string request, int status)
    {
        // RFC 9110, section 9.3.2.
        var mux = new ServeMux();
        mux.HandleFunc("/fails", (_, _) => throw new InvalidOperationException("The handler fails."));
        mux.HandleFunc("POST /post", Handlers.Ok);
        mux.HandleFunc("GET /get", Handlers.Ok);
        mux.HandleFunc("/{$}", async (response, r) => await r.Body.CopyToAsync(Stream.Null));
        await using var server = new TestServer(mux);
        string answer = server.AllFor(request.Replace("{0}", new string('x', 50_000), StringComparison.Ordinal)
            .Replace("/long", "/" + new string('x', 50_000), StringComparison.Ordinal));
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(answer.Length - 4, answer.IndexOf("\r\n\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_head_of_Head_that_does_not_come_is_refused_without_content()
    {
        // RFC 9110, section 9.3.2.
        await using var server = new TestServer(Handlers.Ok, s => s.ReadHeaderTimeout = TimeSpan.FromMilliseconds(200));
        using RawClient client = server.Connect();
        client.Send("HEAD / HTTP/1.1\r\nHost");
        Assert.Equal(408, client.ReadResponse("HEAD").StatusCode);
        client.AssertClosed();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_205_has_no_content(bool flushes)
    {
        // RFC 9110, section 15.3.6. Its end must be said all the same: a client may expect content there.
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path != "/")
                return;
            response.WriteHeader(205);
            if (flushes)
                await response.FlushAsync();
            await Record.ExceptionAsync(async () => await response.WriteAsync("content"));
        });
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(Get);
        Assert.Equal(205, response.StatusCode);
        Assert.Empty(response.Content);
        if (!response.HasConnectionClose)
            Assert.Equal(200, client.Exchange("GET /next HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_304_says_no_length_but_that_of_the_200()
    {
        // RFC 9110, section 8.6.
        using FileTree tree = new FileTree().With("a.txt");
        await using var server = new TestServer(NetGo.Http.Handlers.FileServer(tree.Root));
        RawResponse whole = server.Exchange("GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n");
        RawResponse none = server.Exchange($"GET /a.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: {whole.Get("ETag")}\r\n\r\n");
        Assert.Equal(304, none.StatusCode);
        Assert.True(none.Get("Content-Length") is not { } length || length == whole.Get("Content-Length"));
        Assert.False(none.Has("Transfer-Encoding"));
    }
}
