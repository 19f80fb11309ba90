using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Preconditions (RFC 9110, section 13) and ranges (section 14) on the wire, with a content of 11 bytes.</summary>
public class ServeContentTests
{
    private const string Content = "0123456789a";
    private const string Date = "Mon, 06 May 2024 07:08:09 GMT";
    private const string Earlier = "Mon, 06 May 2024 07:08:08 GMT";

    private static TestServer Serve(string content = Content) => new(async (response, request) =>
    {
        response.Header.Set("ETag", "\"v1\"");
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(content));
        await response.ServeContentAsync(request, "a.txt", new DateTimeOffset(2024, 5, 6, 7, 8, 9, 500, TimeSpan.Zero), stream);
    });

    [Theory]
    [InlineData("If-Match: \"v1\"", "GET", 200)]
    [InlineData("If-Match: *", "GET", 200)]
    [InlineData("If-Match: \"a\", \"v1\"", "GET", 200)]
    [InlineData("If-Match: \"a\"", "GET", 412)]
    [InlineData("If-Match: W/\"v1\"", "GET", 412)]
    [InlineData("If-Match: \"v1\"\r\nIf-Unmodified-Since: " + Earlier, "GET", 200)] // the date does not count
    [InlineData("If-Unmodified-Since: " + Earlier, "GET", 412)]
    [InlineData("If-Unmodified-Since: " + Date, "GET", 200)]
    [InlineData("If-Unmodified-Since: x", "GET", 200)]
    [InlineData("If-None-Match: \"v1\"", "GET", 304)]
    [InlineData("If-None-Match: \"a\"\r\nIf-None-Match: W/\"v1\"", "HEAD", 304)]
    [InlineData("If-None-Match: *", "GET", 304)]
    [InlineData("If-None-Match: \"v1\"", "PUT", 412)]
    [InlineData("If-None-Match: \"a\"\r\nIf-Modified-Since: " + Date, "GET", 200)] // the date does not count
    [InlineData("If-Modified-Since: " + Date, "GET", 304)]
    [InlineData("If-Modified-Since: Monday, 06-May-24 07:08:09 GMT", "GET", 304)]
    [InlineData("If-Modified-Since: Mon May  6 07:08:09 2024", "GET", 304)]
    [InlineData("If-Modified-Since: " + Earlier, "GET", 200)]
    [InlineData("If-Modified-Since: " + Date, "PUT", 200)]
    [InlineData("If-Match: \"a\"\r\nIf-None-Match: \"v1\"", "GET", 412)] // If-Match is first
    public async Task Preconditions_are_looked_at_in_their_order(string fields, string method, int status)
    {
        await using TestServer server = Serve();
        RawResponse response = server.Exchange($"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n{fields}\r\n\r\n");
        Assert.Equal(status, response.StatusCode);
        if (status != 304)
            return;
        Assert.Equal("\"v1\"", response.Get("ETag"));
        Assert.False(response.Has("Content-Type") || response.Has("Content-Length") || response.Has("Last-Modified"));
    }

    [Theory]
    [InlineData("bytes=0-4", 206, "bytes 0-4/11", "01234")]
    [InlineData("bytes=2-", 206, "bytes 2-10/11", "23456789a")]
    [InlineData("bytes=-5", 206, "bytes 6-10/11", "6789a")]
    [InlineData("bytes=-100", 206, "bytes 0-10/11", Content)]
    [InlineData("BYTES=5-1000", 206, "bytes 5-10/11", "56789a")]
    [InlineData("bytes=5-99999999999999999999999", 206, "bytes 5-10/11", "56789a")]
    [InlineData("bytes=20-30, 1-1", 206, "bytes 1-1/11", "1")]
    [InlineData("bytes=11-", 416, "bytes */11", null)]
    [InlineData("bytes=-0", 416, "bytes */11", null)]
    [InlineData("bytes=99999999999999999999999-", 416, "bytes */11", null)]
    [InlineData("bytes=0-,1-,2-,3-,4-", 200, null, Content)] // more than there is
    [InlineData("bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", 200, null, Content)]
    [InlineData("bytes=5-4", 200, null, Content)]
    [InlineData("bytes=a-b", 200, null, Content)]
    [InlineData("bytes=--1", 200, null, Content)]
    [InlineData("bytes=", 200, null, Content)]
    [InlineData("lines=1-2", 200, null, Content)]
    public async Task Ranges(string range, int status, string? contentRange, string? content)
    {
        await using TestServer server = Serve();
        RawResponse response = server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nRange: {range}\r\n\r\n");
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(contentRange, response.Get("Content-Range"));
        if (content is not null)
            Assert.Equal(content, response.Text);
    }

    [Fact]
    public async Task Several_ranges_come_in_parts()
    {
        await using TestServer server = Serve();
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1,5-\r\n\r\n");
        Assert.Equal(206, response.StatusCode);
        Assert.True(response.IsComplete);
        string type = response.Get("Content-Type")!;
        Assert.StartsWith("multipart/byteranges; boundary=", type, StringComparison.Ordinal);
        string boundary = type["multipart/byteranges; boundary=".Length..];
        string Part(string range, string content) => $"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: {range}\r\n\r\n{content}\r\n";
        Assert.Equal(Part("bytes 0-1/11", "01") + Part("bytes 5-10/11", "56789a") + $"--{boundary}--\r\n", response.Text);
    }

    [Fact]
    public async Task More_ranges_than_the_option_allows_are_ignored()
    {
        await using TestServer server = Serve(new string('x', 1000));
        string Ranges(int count) => $"GET / HTTP/1.1\r\nHost: h\r\nRange: bytes={string.Join(',', Enumerable.Range(0, count).Select(i => $"{2 * i}-{2 * i}"))}\r\n\r\n";
        Assert.Equal(206, server.Exchange(Ranges(64)).StatusCode);
        Assert.Equal(200, server.Exchange(Ranges(65)).StatusCode);
    }

    [Theory]
    [InlineData("\"v1\"", 206)]
    [InlineData("W/\"v1\"", 200)]
    [InlineData("\"v2\"", 200)]
    [InlineData(Date, 206)]
    [InlineData("Mon, 06 May 2024 07:08:10 GMT", 200)]
    [InlineData("x", 200)]
    public async Task If_Range(string condition, int status)
    {
        await using TestServer server = Serve();
        Assert.Equal(status, server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nIf-Range: {condition}\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_stream_that_ends_early_breaks_the_connection()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/alive")
                return;
            using var stream = new ShortStream();
            await response.ServeContentAsync(request, "a.bin", null, stream);
        });
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.True(response.StatusCode == 500 || !response.IsComplete);
        server.AssertAlive();
    }

    private sealed class ShortStream() : MemoryStream(new byte[100_000])
    {
        public override long Length => 200_000;
    }
}
