using System.Text;

namespace NetGo.Http.Tests;

/// <summary>WithAccessLog and WithRequestId.</summary>
public class AccessLogTests
{
    private sealed class Clock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.CreateCustomTimeZone("t", TimeSpan.FromMinutes(-150), "t", "t");

        public override long GetTimestamp() => 0;

        public override DateTimeOffset GetUtcNow() => new(2000, 10, 10, 23, 55, 36, TimeSpan.Zero);
    }

    // The answer is on its way before the entry is made.
    private static string Only(MemoryLogger log)
    {
        Bounded.Until(() => log.Entries.Any(), "an entry");
        return Assert.Single(log.Entries).Message;
    }

    private static async Task<string> LogOf(
        Func<ResponseWriter, Request, ValueTask> handler, string request, AccessLogFormat format = AccessLogFormat.Structured, bool query = true)
    {
        var log = new MemoryLogger();
        var options = new AccessLogOptions { Format = format, Time = new Clock(), IncludeQuery = query };
        await using var server = new TestServer(new HandlerFunc(handler).WithAccessLog(log, options));
        server.Exchange(request);
        return Only(log);
    }

    private static async ValueTask WriteAllWays(ResponseWriter response, Request request)
    {
        response.WriteHeader(201);
        await response.WriteAsync("ü"); // 2 bytes
        await response.WriteAsync(Encoding.ASCII.GetBytes("abc"));
        response.GetSpan(4);
        response.Advance(4);
    }

    private const string Request = "GET /a?b HTTP/1.1\r\nHost: h\r\nUser-Agent: me\r\nReferer: http://r/\r\n\r\n";

    [Fact]
    public async Task Entries_have_the_form_that_was_asked_for()
    {
        const string Common = "127.0.0.1 - - [10/Oct/2000:21:25:36 -0230] \"GET /a?b HTTP/1.1\" 201 9";
        Assert.Equal(Common, await LogOf(WriteAllWays, Request, AccessLogFormat.Common));
        Assert.Equal(Common + " \"http://r/\" \"me\"", await LogOf(WriteAllWays, Request, AccessLogFormat.Combined));
        Assert.Equal("127.0.0.1 \"GET /a?b HTTP/1.1\" h 201 9 bytes 0 ms \"http://r/\" \"me\" -", await LogOf(WriteAllWays, Request));
        Assert.Contains("\"GET /a HTTP/1.1\"", await LogOf(WriteAllWays, Request, query: false), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_can_be_forged()
    {
        string entry = await LogOf(
            WriteAllWays, "GET /a\"b\\ HTTP/1.1\r\nHost: h\r\nUser-Agent: \" 200 \\ \t\x85\x9b[2J" + new string('x', 2000) + "\r\n\r\n", AccessLogFormat.Combined);
        Assert.Contains("\"GET /a\\x22b\\x5c HTTP/1.1\"", entry, StringComparison.Ordinal);
        Assert.Contains("\"\\x22 200 \\x5c \\x09\\x85\\x9b[2Jx", entry, StringComparison.Ordinal);
        Assert.EndsWith("xxx...\"", entry, StringComparison.Ordinal);
        Assert.InRange(entry.Length, 1000, 1400);
        Assert.DoesNotContain(entry, c => c is < ' ' or > '~');
    }

    [Fact]
    public async Task A_handler_that_throws_is_logged_with_the_servers_answer()
    {
        Assert.Contains(" 500 -", await LogOf((_, _) => throw new InvalidDataException(), Request, AccessLogFormat.Common), StringComparison.Ordinal);
        Assert.Contains(
            " 413 -", await LogOf((_, _) => throw new BadRequestException(413, ""), Request, AccessLogFormat.Common), StringComparison.Ordinal);
    }

    private static TestServer ServeIds(bool trustsClient, MemoryLogger log) => new(
        new HandlerFunc((response, request) => response.WriteAsync(request.Header.Get("X-Request-Id") ?? "none")).WithRequestId(trustsClient).WithAccessLog(log));

    [Fact]
    public async Task Each_request_has_an_id()
    {
        var log = new MemoryLogger();
        await using TestServer server = ServeIds(trustsClient: false, log);
        RawResponse first = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: forged\r\n\r\n");
        Assert.Matches("^[0-9a-f]{32}$", first.Text);
        Assert.Equal(first.Text, first.Get("X-Request-Id"));
        Assert.EndsWith(first.Text, Only(log), StringComparison.Ordinal);
        Assert.NotEqual(first.Text, server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("X-Request-Id: a-B_1.:=+/\r\n", true)]
    [InlineData("X-Request-Id: a b\r\n", false)]
    [InlineData("X-Request-Id: a\r\nX-Request-Id: a\r\n", false)]
    [InlineData("X-Request-Id: \r\n", false)]
    [InlineData("", false)]
    public async Task A_clients_id_is_kept_where_it_is_trusted(string field, bool kept)
    {
        await using TestServer server = ServeIds(trustsClient: true, new MemoryLogger());
        RawResponse response = server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\n{field}\r\n");
        Assert.Equal(kept, response.Text == "a-B_1.:=+/");
        Assert.Equal(response.Text, response.Get("X-Request-Id"));
    }
}
