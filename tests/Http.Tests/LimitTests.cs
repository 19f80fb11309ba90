using System.Text;

namespace NetGo.Http.Tests;

/// <summary>The limits of <see cref="Server"/>: what is exactly at a limit is served, one more is refused.</summary>
public class LimitTests
{
    [Fact]
    public async Task A_request_line_at_the_limit_is_served_and_a_longer_one_is_answered_with_414()
    {
        await using var server = new TestServer(Handlers.Path, s => s.MaxRequestLineSize = 100);
        Assert.Equal(200, server.Exchange(Line(100) + "\r\nHost: h\r\n\r\n").StatusCode);
        server.AssertRefused(Line(101) + "\r\nHost: h\r\n\r\n", 414);
        server.AssertRefused(Line(5000) + "\r\nHost: h\r\n\r\n", 414);
    }

    [Fact]
    public async Task The_default_limit_of_a_request_line_is_8_KiB()
    {
        await using var server = new TestServer(Handlers.Path);
        Assert.Equal(200, server.Exchange(Line(8192) + "\r\nHost: h\r\n\r\n").StatusCode);
        server.AssertRefused(Line(8193) + "\r\nHost: h\r\n\r\n", 414);
    }

    [Fact]
    public async Task A_request_line_without_end_is_answered_as_soon_as_it_is_too_long()
    {
        await using var server = new TestServer(Handlers.Path, s => s.MaxRequestLineSize = 1000);
        server.AssertRefused("GET /" + new string('a', 2000), 414);
    }

    [Fact]
    public async Task A_method_without_end_is_answered_as_soon_as_it_is_too_long()
    {
        await using var server = new TestServer(Handlers.Path, s => s.MaxRequestLineSize = 1000);
        server.AssertRefused(new string('A', 2000), 400, 414, 501);
    }

    [Fact]
    public async Task A_head_at_the_limit_is_served_and_a_longer_one_is_answered_with_431()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.MaxHeaderBytes = 1024);
        Assert.Equal(200, server.Exchange(Head(1024)).StatusCode);
        server.AssertRefused(Head(1025), 431);
        server.AssertRefused(Head(10_000), 431);
    }

    [Fact]
    public async Task The_default_limit_of_a_head_is_32_KiB()
    {
        await using var server = new TestServer(Handlers.Ok);
        Assert.Equal(200, server.Exchange(Head(32 * 1024)).StatusCode);
        server.AssertRefused(Head(32 * 1024 + 1), 431);
    }

    [Fact]
    public async Task A_head_may_be_allowed_to_be_48_KiB_and_no_longer()
    {
        await using (var server = new TestServer(Handlers.Ok, s => s.MaxHeaderBytes = 48 * 1024))
        {
            Assert.Equal(200, server.Exchange(Head(48 * 1024)).StatusCode);
            server.AssertRefused(Head(48 * 1024 + 1), 431);
        }

        using var listener = NetGo.Netpoll.NetListener.Listen("127.0.0.1:0");
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new Server { MaxHeaderBytes = 48 * 1024 + 1 }.ServeAsync(listener).WaitAsync(TestServer.Bound));
    }

    [Fact]
    public async Task A_head_without_end_is_answered_as_soon_as_it_is_too_long()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.MaxHeaderBytes = 1024);
        server.AssertRefused("GET / HTTP/1.1\r\nHost: h\r\nX: " + new string('a', 2000), 431);
        server.AssertRefused("GET / HTTP/1.1\r\nHost: h\r\n" + new string('a', 2000), 431);
    }

    [Fact]
    public async Task The_limit_of_a_head_is_for_each_request_of_a_connection()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.MaxHeaderBytes = 1024);
        using RawClient client = server.Connect();
        client.Send(Head(1000) + Head(1024) + Head(1024));
        for (int i = 0; i < 3; i++)
            Assert.Equal(200, client.ReadResponse().StatusCode);
    }

    [Fact]
    public async Task As_many_fields_as_the_limit_are_served_and_more_are_answered_with_431()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.MaxHeaderCount = 10);
        Assert.Equal(200, server.Exchange(WithFields(10)).StatusCode);
        server.AssertRefused(WithFields(11), 431);
        server.AssertRefused(WithFields(60), 431);
    }

    [Fact]
    public async Task The_default_limit_of_fields_is_100()
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(request.Header.Count.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal("100", server.Exchange(WithFields(100)).Text);
        server.AssertRefused(WithFields(101), 431);
    }

    [Fact]
    public async Task Content_at_the_limit_is_served_and_a_longer_one_is_answered_with_413()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxRequestBodySize = 1000);
        Assert.Equal(1000, server.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + new string('a', 1000)).Content.Length);
        server.AssertRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" + new string('a', 1001), 413);
        // The answer does not wait for the content.
        server.AssertRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413);
    }

    [Fact]
    public async Task Chunked_content_at_the_limit_is_served_and_a_longer_one_is_answered_with_413()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxRequestBodySize = 1000);
        const string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        string half = "1f4\r\n" + new string('a', 500) + "\r\n";
        Assert.Equal(1000, server.Exchange(head + half + half + "0\r\n\r\n").Content.Length);
        server.AssertRefused(head + half + half + "1\r\na\r\n0\r\n\r\n", 413);
        server.AssertRefused(head + "3e9\r\n" + new string('a', 1001) + "\r\n0\r\n\r\n", 413);
        // The answer does not wait for what is too much.
        server.AssertRefused(head + "3e9\r\n", 413);
    }

    [Fact]
    public async Task The_limit_of_content_is_for_each_request_of_a_connection()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxRequestBodySize = 1000);
        using RawClient client = server.Connect();
        for (int i = 0; i < 3; i++)
            Assert.Equal(200, client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + new string('a', 1000)).StatusCode);
        for (int i = 0; i < 3; i++)
            Assert.Equal(200, client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + new string('a', 1000) + "\r\n0\r\n\r\n").StatusCode);
    }

    public static TheoryData<string, Action<Server>> LimitsOutOfRange() => new()
    {
        { "line", s => s.MaxRequestLineSize = 0 },
        { "head", s => s.MaxHeaderBytes = -1 },
        { "count", s => s.MaxHeaderCount = -1 },
        { "content", s => s.MaxRequestBodySize = -1 },
        { "connections", s => s.MaxConnections = 0 },
        { "connections per address", s => s.MaxConnectionsPerAddress = 0 },
        { "unsent", s => s.MaxUnsentBytes = 0 },
        { "rate", s => s.MinRequestBodyDataRate = new MinDataRate(0, TimeSpan.FromSeconds(1)) },
        { "rate's grace", s => s.MinResponseDataRate = new MinDataRate(1, TimeSpan.Zero) },
        { "head time", s => s.ReadHeaderTimeout = TimeSpan.FromSeconds(-5) },
        { "write time", s => s.WriteTimeout = TimeSpan.FromSeconds(-5) },
    };

    [Theory]
    [MemberData(nameof(LimitsOutOfRange), DisableDiscoveryEnumeration = true)]
    public async Task A_limit_out_of_range_is_an_InvalidOperationException(string name, Action<Server> set)
    {
        Assert.NotEmpty(name);
        using var listener = NetGo.Netpoll.NetListener.Listen("127.0.0.1:0");
        var server = new Server();
        Exception? exception = await Record.ExceptionAsync(async () =>
        {
            set(server);
            Task serving = server.ServeAsync(listener);
            server.Close();
            await serving.WaitAsync(TestServer.Bound);
        });
        Assert.True(exception is InvalidOperationException or ArgumentOutOfRangeException, $"{exception?.GetType()}");
    }

    /// <summary>A request line of so many bytes, without its line end.</summary>
    private static string Line(int length) => "GET /" + new string('a', length - "GET / HTTP/1.1".Length) + " HTTP/1.1";

    /// <summary>A head of so many bytes, from the method to the empty line.</summary>
    private static string Head(int length)
    {
        const string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
        return start + new string('a', length - start.Length - 4) + "\r\n\r\n";
    }

    /// <summary>A request with so many field lines.</summary>
    private static string WithFields(int count)
    {
        var request = new StringBuilder("GET / HTTP/1.1\r\nHost: h\r\n");
        for (int i = 1; i < count; i++)
            request.Append(System.Globalization.CultureInfo.InvariantCulture, $"X{i}: {i}\r\n");
        return request.Append("\r\n").ToString();
    }
}
