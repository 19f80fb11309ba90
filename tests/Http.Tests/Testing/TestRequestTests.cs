using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using NetGo.Http.Testing;

namespace NetGo.Http.Tests.Testing;

/// <summary>Requests without a connection.</summary>
public class TestRequestTests
{
    private static async Task<string> ReadAsync(Request request)
    {
        using var reader = new StreamReader(request.Body);
        return await reader.ReadToEndAsync().Within();
    }

    [Fact]
    public void It_is_parsed()
    {
        Request request = TestRequest.Create("GET", "/a%20b?c=d");
        Assert.Equal("GET", request.Method);
        Assert.Equal("/a%20b?c=d", request.Target);
        Assert.Equal("/a b", request.Path);
        Assert.Equal("c=d", request.Query);
        Assert.Equal("example.com", request.Host);
        Assert.Equal("HTTP/1.1", request.Protocol);
        Assert.Equal(0, request.ContentLength);
        Assert.Equal("http", request.Scheme);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1234), request.RemoteEndPoint);
        Assert.False(request.Aborted.IsCancellationRequested);
    }

    [Fact]
    public void Its_options_are_used()
    {
        var options = new TestRequestOptions
        {
            Header = { { "Host", "h:8080" }, { "X", "1" }, { "X", "2" }, { "Connection", "close" } },
            RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 7),
            LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 8),
        };
        Request request = TestRequest.Create("OPTIONS", "*", options: options);
        Assert.Equal("h:8080", request.Host);
        Assert.Equal(["1", "2"], request.Header.GetAll("x"));
        Assert.True(request.Close);
        Assert.Equal(options.RemoteEndPoint, request.RemoteEndPoint);
        Assert.Equal(options.LocalEndPoint, request.LocalEndPoint);
        Assert.Equal("other", TestRequest.Create("GET", "http://other/x").Host);
        Assert.Equal("HTTP/1.0", TestRequest.Create("GET", "/", options: new TestRequestOptions { Protocol = "HTTP/1.0" }).Protocol);
    }

    [Fact]
    public void Fields_and_context_can_be_set_afterwards()
    {
        Request request = TestRequest.Create("GET", "/");
        request.Header.Set("Authorization", "Bearer abc");
        request.Header.Remove("Host");
        Assert.Equal("Bearer abc", request.Header["authorization"]);
        Assert.Null(request.Header["Host"]);
        using CancelContext context = Context.WithCancel(Context.Background);
        request.Context = context;
        context.Cancel();
        Assert.True(request.Aborted.IsCancellationRequested);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(5_000)]
    [InlineData(1_000_000)]
    public async Task Its_content_is_read(int length)
    {
        string content = string.Concat(Enumerable.Range(0, length).Select(static i => (char)('a' + i % 26)));
        Request request = TestRequest.Create("POST", "/", content);
        Assert.Equal(length, request.ContentLength);
        Assert.Equal(content, await ReadAsync(request));
        Assert.Equal(content, await ReadAsync(TestRequest.Create("PUT", "/", Encoding.ASCII.GetBytes(content))));
    }

    [Fact]
    public async Task Content_goes_through_the_framing()
    {
        var chunked = new TestRequestOptions { Header = { { "Transfer-Encoding", "chunked" }, { "Expect", "100-continue" } } };
        Request request = TestRequest.Create("POST", "/", "3\r\nabc\r\n0\r\nSum: 1\r\n\r\n", chunked);
        Assert.Equal(-1, request.ContentLength);
        Assert.Equal("abc", await ReadAsync(request));
        Assert.Equal("1", request.Trailer["Sum"]);

        var tooLong = new TestRequestOptions { Header = { { "Content-Length", "10" } } };
        request = TestRequest.Create("POST", "/", "short", tooLong);
        await Assert.ThrowsAsync<BadRequestException>(() => ReadAsync(request));
        request = TestRequest.Create("POST", "/", "xyz\r\n", chunked);
        await Assert.ThrowsAsync<BadRequestException>(() => ReadAsync(request));
    }

    [Theory]
    [InlineData("GET", "/a b")]
    [InlineData("GET", "no-slash")]
    [InlineData("GET", "/ä")]
    [InlineData("GET", "/\u4e00")]
    [InlineData("GE T", "/")]
    [InlineData("GET", "/ HTTP/1.1\r\nX: smuggled\r\nY:")]
    public void What_the_server_would_refuse_is_refused(string method, string target) =>
        Assert.Throws<ArgumentException>(() => TestRequest.Create(method, target));

    [Fact]
    public async Task Its_memory_goes_back_when_nobody_knows_it()
    {
        using var pool = new BufferPool(new BufferPoolOptions());
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        HeaderFields fields = await scheduler.RunAsync(() => Task.FromResult(Make(100)));
        Bounded.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return pool.GetStatistics().Classes.Sum(static c => c.InUse) < 10; // what the stack still knows may be left
            },
            "the buffers are returned");
        Assert.Equal("99", fields["X"]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HeaderFields Make(int count)
    {
        HeaderFields fields = new();
        for (int i = 0; i < count; i++)
            fields = TestRequest.Create("GET", "/", options: new TestRequestOptions { Header = { { "X", $"{i}" } } }).Header;
        return fields;
    }
}
