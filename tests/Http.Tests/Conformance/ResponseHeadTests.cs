using System.Globalization;
using System.Text.RegularExpressions;

namespace NetGo.Http.Tests;

/// <summary>What must and must not stand in the head of a response, whatever the handler says.</summary>
public partial class ResponseHeadTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static async ValueTask OfManyKinds(ResponseWriter response, Request request)
    {
        response.Header.Set("X-Field", "a\tb \u00e4");
        switch (request.Path)
        {
            case "/chunked":
                await response.WriteAsync("a");
                await response.FlushAsync();
                await response.WriteAsync("b");
                break;
            case "/hints":
                await response.WriteInformationalAsync(103);
                await response.WriteAsync("a");
                break;
            case "/fails":
                throw new InvalidOperationException("The handler fails.");
            case "/trailer":
                response.Trailer.Set("X-Sum", "1");
                await response.WriteAsync("a");
                break;
            default:
                response.WriteHeader(int.Parse(request.Path.AsSpan(1), CultureInfo.InvariantCulture));
                break;
        }
    }

    [Theory]
    [InlineData("GET /200 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /204 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /304 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /599 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")]
    [InlineData("GET /999 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /chunked HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /chunked HTTP/1.0\r\n\r\n")]
    [InlineData("GET /hints HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /fails HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("HEAD /trailer HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/2.0\r\nHost: h\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task It_is_a_status_line_and_field_lines(string request)
    {
        // RFC 9112, sections 2.2, 4 and 5.2: no bare CR, no whitespace before the first field, no folding, a space after the status code.
        await using var server = new TestServer(OfManyKinds, s => s.ServerName = "NetGo");
        string[] lines = RawAnswers.HeadLines(server.AllFor(request));
        Assert.Matches(StatusLine(), lines[0]);
        Assert.All(lines[1..], line => Assert.Matches(FieldLine(), line));
    }

    [Fact]
    public async Task A_status_that_has_no_name_has_its_space()
    {
        await using var server = new TestServer(OfManyKinds);
        Assert.StartsWith("HTTP/1.1 599 ", server.AllFor("GET /599 HTTP/1.1\r\nHost: h\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 999 ", server.AllFor("GET /999 HTTP/1.1\r\nHost: h\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET / HTTP/1.9\r\nHost: h\r\n\r\n")]
    [InlineData("GET / HTTP/2.0\r\nHost: h\r\n\r\n")]
    [InlineData("GET / HTTP/9.9\r\n\r\n")]
    [InlineData("GET / nothing\r\n\r\n")]
    public async Task Its_version_is_the_servers_own(string request)
    {
        await using var server = new TestServer(Handlers.Ok);
        Assert.StartsWith("HTTP/1.1 ", server.AllFor(request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(301)]
    [InlineData(304)]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(499)]
    public async Task It_has_one_Date(int status)
    {
        await using var server = new TestServer(OfManyKinds);
        Assert.NotNull(server.Exchange($"GET /{status} HTTP/1.1\r\nHost: h\r\n\r\n").Get("Date"));
        Assert.NotNull(server.Exchange($"HEAD /{status} HTTP/1.1\r\nHost: h\r\n\r\n").Get("Date"));
        Assert.NotNull(server.Exchange($"GET /{status} HTTP/1.0\r\n\r\n").Get("Date"));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData("GET /large HTTP/1.1\r\nHost: h\r\n{0}\r\n\r\n", 431)]
    [InlineData("GET /{0} HTTP/1.1\r\nHost: h\r\n\r\n", 414)]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: something\r\n\r\nhello", 417)]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", 413)]
    [InlineData("GET / HTTP/1.1\r\nHost", 408)]
    public async Task What_the_server_refuses_itself_has_one_Date_too(string request, int status)
    {
        await using var server = new TestServer(
            Handlers.Echo, s => s.ReadHeaderTimeout = status == 408 ? TimeSpan.FromSeconds(1) : s.ReadHeaderTimeout);
        using RawClient client = server.Connect();
        client.SendAnyway(request.Replace("{0}", "x:" + new string('x', 100_000), StringComparison.Ordinal));
        RawResponse response = client.ReadResponse();
        Assert.Equal(status, response.StatusCode);
        Assert.NotNull(response.Get("Date"));
    }

    [Theory]
    [InlineData("Transfer-Encoding", "chunked", null)]
    [InlineData("Transfer-Encoding", "chunked", "5")]
    [InlineData("Transfer-Encoding", "gzip", null)]
    [InlineData("Transfer-Encoding", "identity", "5")]
    public async Task A_Transfer_Encoding_of_the_handler_makes_no_second_framing(string name, string value, string? length)
    {
        // RFC 9112, sections 6.1 and 6.2: chunked at most once, as the last one, and never with Content-Length.
        await using var server = new TestServer(async (response, request) =>
        {
            try
            {
                response.Header.Set(name, value);
            }
            catch (ArgumentException)
            {
                // It may be refused.
            }

            if (length is not null)
                response.Header.Set("Content-Length", length);
            await response.WriteAsync("hello");
            if (request.Path == "/flushes")
                await response.FlushAsync();
        });
        using RawClient client = server.Connect();
        foreach (string path in new[] { "/", "/flushes", "/" })
        {
            RawResponse response = client.Exchange($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal("hello", response.Text);
            Assert.False(response.EndedByClose);
        }

        RawResponse old = server.Exchange("GET / HTTP/1.0\r\n\r\n");
        Assert.False(old.Has("Transfer-Encoding"));
        Assert.Equal("hello", old.Text);
    }

    [Theory]
    [InlineData("5", "5")]
    [InlineData("5", "6")]
    public async Task Content_Length_stands_there_once(string first, string second)
    {
        // RFC 9110, sections 5.3 and 8.6.
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Add("Content-Length", first);
            response.Header.Add("Content-Length", second);
            return response.WriteAsync("hello");
        });
        string answer = server.AllFor("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        Assert.InRange(
            RawAnswers.HeadLines(answer).Count(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)), 0, 1);
        Assert.DoesNotContain("5, ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Neither_204_nor_1xx_has_any_framing()
    {
        // RFC 9112, section 6.1; RFC 9110, section 8.6.
        await using var server = new TestServer(async (response, request) =>
        {
            response.Header.Set("Content-Length", "0");
            if (request.Path == "/chunked")
            {
                response.Header.Remove("Content-Length");
                response.Header.Set("Transfer-Encoding", "chunked");
            }

            response.Trailer.Set("X-Sum", "1");
            await response.WriteInformationalAsync(103);
            response.WriteHeader(204);
        });
        using RawClient client = server.Connect();
        foreach (string path in new[] { "/", "/chunked" })
        {
            client.Send($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            foreach (int status in new[] { 103, 204 })
            {
                RawResponse response = client.ReadAnyResponse();
                Assert.Equal(status, response.StatusCode);
                Assert.False(response.Has("Content-Length") || response.Has("Transfer-Encoding"), $"{status} {path}");
            }
        }

        client.HalfClose();
        client.AssertClosed();
    }

    [Theory]
    [InlineData("/empty")]
    [InlineData("/content")]
    [InlineData("/flushed")]
    [InlineData("/length")]
    [InlineData("/chunked")]
    public async Task A_2xx_to_CONNECT_has_no_framing_and_no_answer_follows_it(string kind)
    {
        // RFC 9112, section 6.1; RFC 9110, sections 8.6 and 9.3.6: what follows its head is the tunnel.
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Method != "CONNECT")
                return;
            if (kind == "/length")
                response.Header.Set("Content-Length", "0");
            if (kind == "/chunked")
                response.Header.Set("Transfer-Encoding", "chunked");
            response.WriteHeader(200);
            if (kind == "/flushed")
                await response.FlushAsync();
            if (kind is "/content" or "/flushed")
                await Record.ExceptionAsync(async () => await response.WriteAsync("hello"));
        });
        string answer = server.AllFor("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" + Get);
        string[] lines = RawAnswers.HeadLines(answer);
        Assert.StartsWith("HTTP/1.1 200 ", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain(lines, static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(lines, static line => line.StartsWith("Transfer-Encoding:", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(1, RawAnswers.CountOfHeads(answer));
    }

    [Theory]
    [InlineData("GET /200 HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")]
    [InlineData("GET /404 HTTP/1.0\r\nConnection: keep-alive, Cache-Control\r\n\r\n")]
    [InlineData("GET /trailer HTTP/1.1\r\nHost: h\r\nConnection: TE, close\r\nTE: trailers\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    public async Task Connection_has_no_options_but_those_of_the_connection(string request)
    {
        // RFC 9110, section 7.6.1.
        await using var server = new TestServer(OfManyKinds);
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(request);
        Assert.All(RawAnswers.Members(response, "Connection"), static option => Assert.Contains(option, (string[])["close", "keep-alive"]));
    }

    [Fact]
    public async Task A_list_of_the_server_has_no_empty_members()
    {
        // RFC 9110, section 5.6.1.1, and RFC 9112, section 9.6: also where the server adds to what the handler has set.
        await using var server = new TestServer(new HandlerFunc((response, request) =>
        {
            response.Header.Set("Connection", "X-Other");
            response.Header.Set("Vary", "Accept");
            response.Header.Set("Content-Type", "text/plain");
            return response.WriteAsync(new string('a', 5000));
        }).WithCompression());
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n");
        Assert.Equal(["X-Other", "close"], RawAnswers.Members(response, "Connection"));
        Assert.Equal(["Accept", "Accept-Encoding"], RawAnswers.Members(response, "Vary"));
    }

    [GeneratedRegex(@"^HTTP/1\.1 [1-9][0-9]{2} [\t \x21-\x7e\x80-\xff]*$")]
    private static partial Regex StatusLine();

    [GeneratedRegex(@"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*([\x21-\x7e\x80-\xff]([\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$")]
    private static partial Regex FieldLine();
}
