namespace NetGo.Http.Tests;

/// <summary>What the server makes of heads that are legal but unusual, and of those that must not be served.</summary>
public class RequestHeadTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData("Host: a/b")]
    [InlineData("Host: user@a")]
    [InlineData("Host: a\r\nHost: a")]
    public async Task An_invalid_Host_is_refused_beside_an_absolute_target_too(string lines)
    {
        // RFC 9112, section 3.2: any request, although section 3.2.2 has the value ignored.
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET http://target.example/ HTTP/1.1\r\n{lines}\r\n\r\n", 400);
    }

    [Theory]
    [InlineData("https:///a")]
    [InlineData("https://")]
    [InlineData("https://:443/")]
    [InlineData("https://user@target.example/")]
    public async Task An_https_target_without_host_or_with_userinfo_is_refused(string target)
    {
        // RFC 9110, sections 4.2.2 and 4.2.4.
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task An_https_target_is_refused_on_a_connection_that_is_not_secured()
    {
        // RFC 9110, section 7.4. Gateways ask in origin form.
        await using var server = new TestServer(Handlers.Ok);
        Assert.Equal(421, server.Exchange("GET https://target.example/ HTTP/1.1\r\nHost: target.example\r\n\r\n").StatusCode);
        Assert.Equal(421, server.Exchange("GET HTTPS://target.example/ HTTP/1.1\r\nHost: target.example\r\n\r\n").StatusCode);
        Assert.Equal(200, server.Exchange("GET http://target.example/ HTTP/1.1\r\nHost: target.example\r\n\r\n").StatusCode);
    }

    [Theory]
    [InlineData("target.example:65536")]
    [InlineData("target.example:99999999999999999999")]
    [InlineData("target.example:-1")]
    [InlineData("[::1]:")]
    public async Task Connect_to_an_invalid_port_is_refused(string target)
    {
        // RFC 9110, section 9.3.6.
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"CONNECT {target} HTTP/1.1\r\nHost: target.example\r\n\r\n", 400);
    }

    [Fact]
    public async Task No_handler_runs_before_the_whole_head_is_there()
    {
        // RFC 9110, section 5.3: the last field may be the one that forbids it.
        int calls = 0;
        await using var server = new TestServer((response, request) =>
        {
            if (request.Path == "/counted")
                Interlocked.Increment(ref calls);
            return response.WriteAsync("ok");
        });
        using RawClient client = server.Connect();
        foreach (string part in new[] { "DELETE /counted HTTP/1.1\r\n", "Host: h\r\n", "X: y\r\n", "\r" })
        {
            client.Send(part);
            server.AssertAlive(); // an exchange on another connection, which comes after this part
            Assert.Equal(0, Volatile.Read(ref calls));
            Assert.True(client.NothingReceived);
        }

        client.Send("\n");
        Assert.Equal("ok", client.ReadResponse().Text);
        Assert.Equal(1, Volatile.Read(ref calls));
    }

    [Fact]
    public async Task Nothing_of_a_request_is_known_of_the_next_on_its_connection()
    {
        // RFC 9110, section 3.3: they may be of two users.
        await using var server = new TestServer((response, request) => response.WriteAsync(
            $"{request.Header.Get("Authorization")}|{request.Header.Get("Cookie")}|{request.BasicAuth() is null}|{request.Query}|{request.Trailer.Count}"));
        using RawClient client = server.Connect();
        Assert.Equal("Basic YTpi|c=d|False|q|0",
            client.Exchange("GET /?q HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YTpi\r\nCookie: c=d\r\n\r\n").Text);
        Assert.Equal("||True||0", client.Exchange(Get).Text);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("Keep-Alive, CLOSE")]
    [InlineData(",, close ,")] // RFC 9110, section 5.6.1.2: empty members are passed over
    public async Task After_close_no_further_request_is_handled(string connection)
    {
        // RFC 9112, section 9.6.
        int calls = 0;
        await using var server = new TestServer((response, _) =>
        {
            Interlocked.Increment(ref calls);
            return response.WriteAsync("ok");
        });
        string answer = server.AllFor($"GET / HTTP/1.1\r\nHost: h\r\nConnection: {connection}\r\n\r\n{Get}{Get}");
        Assert.Equal(1, RawAnswers.CountOfHeads(answer));
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task After_a_response_that_says_close_no_further_request_is_handled()
    {
        // RFC 9112, section 9.6.
        int calls = 0;
        await using var server = new TestServer((response, _) =>
        {
            Interlocked.Increment(ref calls);
            response.Header.Set("Connection", "close");
            return response.WriteAsync("ok");
        });
        Assert.Equal(1, RawAnswers.CountOfHeads(server.AllFor(Get + Get + Get)));
        Assert.Equal(1, calls);
    }

    [Theory]
    [InlineData(",100-continue")]
    [InlineData("100-continue, ,")]
    public async Task Empty_members_of_Expect_are_passed_over(string expectation)
    {
        // RFC 9110, section 5.6.1.2.
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: {expectation}\r\n\r\n");
        Assert.Equal(100, client.ReadAnyResponse().StatusCode);
        client.Send("hello");
        Assert.Equal("hello", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Empty_members_of_Connection_and_Upgrade_are_passed_over()
    {
        // RFC 9110, section 5.6.1.2.
        await using var server = new TestServer(async (response, _) =>
        {
            await using HijackedStream stream = await response.UpgradeAsync("echo");
        });
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: ,, upgrade,\r\nUpgrade: , other,, echo ,\r\n\r\n");
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
    }

    [Fact]
    public async Task Continue_goes_before_Switching_Protocols()
    {
        // RFC 9110, section 7.8.
        await using var server = new TestServer(async (response, request) =>
        {
            byte[] content = new byte[5];
            await request.Body.ReadExactlyAsync(content);
            Assert.Equal(0, await request.Body.ReadAsync(new byte[1]));
            await using HijackedStream stream = await response.UpgradeAsync("echo");
            await stream.WriteAsync(content);
        });
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal(100, client.ReadAnyResponse().StatusCode);
        client.Send("hello");
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        Assert.Equal("hello"u8, client.ReadExactly(5, out _));
    }

    [Fact]
    public async Task Nothing_is_switched_to_before_the_content_has_been_continued_and_read()
    {
        // RFC 9110, section 7.8: no 101 without the 100 that the client waits for.
        await using var server = new TestServer(async (response, _) =>
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await response.UpgradeAsync("echo"));
            await response.WriteAsync("no");
        });
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal("no", client.ReadAnyResponse().Text);
    }

    [Fact]
    public async Task An_expectation_of_HTTP_1_0_is_ignored()
    {
        // RFC 9110, section 10.1.1.
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("hello", response.Text);
    }

    [Theory]
    [InlineData("TE: gzip, trailers")]
    [InlineData("TE: chunked;q=0\r\nConnection: TE")]
    [InlineData("Content-Location: /other")]
    [InlineData("Content-Range: bytes 0-1/2")]
    [InlineData("Max-Forwards: 0")]
    [InlineData("Connection: X-Other, Host")]
    public async Task Fields_that_change_nothing_change_nothing(string field)
    {
        // RFC 9112, section 7.4, and RFC 9110, sections 7.6, 8.7 and 14.4.
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync($"{request.Method} {request.Target} {request.Host}");
            await response.FlushAsync();
        });
        using RawClient client = server.Connect();
        foreach (string method in new[] { "GET", "OPTIONS", "TRACE" })
        {
            RawResponse response = client.Exchange($"{method} /a HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n");
            Assert.Equal(200, response.StatusCode);
            Assert.Equal($"{method} /a h", response.Text);
            Assert.Equal("chunked", response.Get("Transfer-Encoding"));
        }
    }

    [Theory]
    [InlineData("5 ;a=b\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\t ; a = b ; c = \"d\" \t; e\r\nhello\r\n0 ;x\r\n\r\n")]
    [InlineData("5;a=\"\\\"; \\\\\"\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=\"\xe4\t\"\r\nhello\r\n0\r\n\r\n")]
    public async Task Whitespace_and_quoted_pairs_of_chunk_extensions_are_read(string content)
    {
        // RFC 9112, section 7.1.1, and RFC 9110, sections 5.6.3 and 5.6.4.
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        Assert.Equal("hello", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + content).Text);
        Assert.Equal(200, client.Exchange(Get).StatusCode);
    }
}
