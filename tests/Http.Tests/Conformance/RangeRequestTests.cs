using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Ranges: RFC 9110, sections 13.1.5, 14 and 15.3.7.</summary>
public class RangeRequestTests
{
    private const string Content = "0123456789a";

    private static TestServer Serve() => new(async (response, request) =>
    {
        response.Header.Set("ETag", "\"v1\"");
        response.Header.Set("Cache-Control", "max-age=5");
        response.Header.Set("Content-Location", "/other");
        response.Header.Set("Expires", "Tue, 07 May 2024 07:08:09 GMT");
        response.Header.Set("Vary", "Accept");
        response.Header.Set("Content-Language", "en");
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(Content));
        await response.ServeContentAsync(request, "a.txt", new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero), stream);
    });

    private static string Request(string fields, string method = "GET") => $"{method} / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n";

    [Theory]
    [InlineData("bytes=0-1")]
    [InlineData("bytes=0-1,4-5")]
    public async Task A_206_has_the_fields_that_the_200_would_have(string range)
    {
        // RFC 9110, section 15.3.7; without If-Range all fields of the representation.
        await using TestServer server = Serve();
        RawResponse whole = server.Exchange(Request("X: y"));
        RawResponse part = server.Exchange(Request("Range: " + range));
        Assert.Equal(206, part.StatusCode);
        Assert.NotNull(part.Get("Date"));
        foreach (string name in new[] { "Cache-Control", "Content-Location", "ETag", "Expires", "Vary", "Content-Language", "Last-Modified" })
        {
            Assert.NotNull(part.Get(name));
            Assert.Equal(whole.Get(name), part.Get(name));
        }
    }

    [Theory]
    [InlineData("bytes=1-3", "bytes 1-3/11", "123")]
    [InlineData("bytes=,1-3 ,,", "bytes 1-3/11", "123")] // RFC 9110, section 5.6.1.2
    [InlineData("bytes=1-3,20-30", "bytes 1-3/11", "123")]
    public async Task One_range_is_no_multipart(string range, string contentRange, string content)
    {
        // RFC 9110, section 15.3.7.2.
        await using TestServer server = Serve();
        RawResponse response = server.Exchange(Request("Range: " + range));
        Assert.Equal(206, response.StatusCode);
        Assert.Equal(contentRange, response.Get("Content-Range"));
        Assert.Equal(content, response.Text);
        Assert.StartsWith("text/plain", response.Get("Content-Type"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_multipart_says_its_ranges_in_its_parts_alone()
    {
        // RFC 9110, section 15.3.7.2, and section 8.3.3: CRLF between parts.
        await using TestServer server = Serve();
        RawResponse response = server.Exchange(Request("Range: bytes=0-1,4-5"));
        Assert.Equal(206, response.StatusCode);
        Assert.False(response.Has("Content-Range"));
        Assert.StartsWith("multipart/byteranges; boundary=", response.Get("Content-Type"), StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Range: bytes 0-1/11\r\n", response.Text, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Range: bytes 4-5/11\r\n", response.Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', response.Text.Replace("\r\n", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("OPTIONS")]
    [InlineData("get")] // methods are case-sensitive
    public async Task A_range_is_for_Get_alone(string method)
    {
        // RFC 9110, section 14.2.
        await using TestServer server = Serve();
        RawResponse response = server.Exchange(Request("Content-Length: 0\r\nRange: bytes=0-1", method));
        Assert.Equal(200, response.StatusCode);
        Assert.False(response.Has("Content-Range"));
    }

    [Fact]
    public async Task If_Range_without_Range_is_ignored()
    {
        // RFC 9110, section 13.1.5.
        await using TestServer server = Serve();
        foreach (string condition in new[] { "\"v1\"", "\"v2\"", "Mon, 06 May 2024 07:08:09 GMT", "x" })
        {
            RawResponse response = server.Exchange(Request("If-Range: " + condition));
            Assert.Equal(200, response.StatusCode);
            Assert.Equal(Content, response.Text);
        }
    }

    [Fact]
    public async Task If_Range_is_ignored_where_there_are_no_ranges()
    {
        // RFC 9110, section 13.1.5.
        await using var server = new TestServer(Handlers.Ok);
        RawResponse response = server.Exchange(Request("Range: bytes=0-0\r\nIf-Range: \"v1\""));
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("ok", response.Text);
    }

    [Theory]
    [InlineData("If-Match: \"a\"", 412)]
    [InlineData("If-None-Match: \"v1\"", 304)]
    [InlineData("If-Modified-Since: Mon, 06 May 2024 07:08:09 GMT", 304)]
    [InlineData("If-Unmodified-Since: Mon, 06 May 2024 07:08:08 GMT", 412)]
    public async Task Preconditions_go_before_the_range(string condition, int status)
    {
        // RFC 9110, sections 13.2.2 and 14.2; even before 416.
        await using TestServer server = Serve();
        Assert.Equal(status, server.Exchange(Request($"{condition}\r\nRange: bytes=0-1\r\nIf-Range: \"v1\"")).StatusCode);
        Assert.Equal(status, server.Exchange(Request($"{condition}\r\nRange: bytes=100-")).StatusCode);
    }

    [Fact]
    public async Task A_Content_Range_of_a_request_is_ignored()
    {
        // RFC 9110, section 14.4.
        await using TestServer server = Serve();
        RawResponse response = server.Exchange(Request("Content-Range: bytes 0-1/11"));
        Assert.Equal(200, response.StatusCode);
        Assert.Equal(Content, response.Text);
    }
}
