namespace NetGo.Http.Tests;

/// <summary>RFC 9112, section 6: where the content of a request ends. Two readers that disagree about it are how requests are
/// smuggled, so what could be read in two ways is refused, and the connection closed.</summary>
public class FramingTests
{
    [Theory]
    [InlineData("5", "hello")]
    [InlineData("0", "")]
    [InlineData("00005", "hello")]
    [InlineData("  5\t", "hello")]
    public async Task Content_Length_is_a_decimal_number(string value, string content)
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        Assert.Equal(content, client.Exchange($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {value}\r\n\r\n{content}").Text);
        Assert.Equal("", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("+5")]
    [InlineData("-5")]
    [InlineData("-0")]
    [InlineData("0x5")]
    [InlineData("5 5")]
    [InlineData("5;")]
    [InlineData("5.0")]
    [InlineData("5e0")]
    [InlineData("five")]
    [InlineData("")]
    [InlineData("5,6")]
    [InlineData("5, 6")]
    [InlineData("5,")]
    [InlineData(",5")]
    [InlineData("\u000b5")]
    [InlineData("5\x0c")]
    [InlineData("\xb2")]
    [InlineData("\"5\"")]
    public async Task An_invalid_Content_Length_is_refused(string value)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {value}\r\n\r\nhello", 400);
        server.AssertRefused($"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: {value}\r\n\r\n", 400);
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("9223372036854775808")]
    [InlineData("18446744073709551615")]
    [InlineData("18446744073709551616")]
    [InlineData("18446744073709551621")] // 5 when it overflows
    [InlineData("99999999999999999999999999999999999999999999")]
    public async Task A_huge_Content_Length_does_not_overflow(string value)
    {
        // RFC 9110, section 8.6.
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {value}\r\n\r\nhello", 400, 413);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 6")]
    [InlineData("Content-Length: 6\r\ncontent-length: 5")]
    [InlineData("Content-Length: 5\r\nX: y\r\nContent-Length: 0")]
    [InlineData("Content-Length: 5\r\nContent-Length:")]
    [InlineData("Content-Length: 5\r\nContent-Length: 05x")]
    public async Task Content_Lengths_that_differ_are_refused(string lines)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\nhello", 400);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 5")]
    [InlineData("Content-Length: 5, 5")]
    public async Task Content_Lengths_that_agree_are_refused_or_taken_for_one(string lines)
    {
        // RFC 9110, section 8.6, allows both.
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\nhello");
        RawResponse response = client.ReadResponse();
        if (response.StatusCode == 400)
        {
            client.AssertClosed();
            return;
        }

        Assert.Equal(200, response.StatusCode);
        Assert.Equal("hello", response.Text);
        Assert.Equal(200, client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5")]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked")]
    [InlineData("Content-Length: 0\r\nTransfer-Encoding: chunked")]
    [InlineData("Content-Length: x\r\nTransfer-Encoding: chunked")]
    public async Task Transfer_Encoding_with_Content_Length_is_refused(string lines)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n0\r\n\r\n", 400);
    }

    [Theory]
    [InlineData("chunked")]
    [InlineData("Chunked")]
    [InlineData("CHUNKED")]
    [InlineData(" \tchunked\t ")]
    public async Task The_name_of_the_chunked_coding_is_case_insensitive(string coding)
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        Assert.Equal("hello", client.Exchange($"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n").Text);
        Assert.Equal("", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked, chunked")] // section 6.1: chunked not more than once
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding:")] // 400 for what is malformed, 501 for what is not understood: both are said of these
    public async Task Chunked_more_than_once_or_no_coding_is_refused(string lines)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400, 501);
    }

    [Theory]
    [InlineData("gzip")] // section 6.3: 400 when chunked is not the last; section 6.1: 501 when it is not understood
    [InlineData("gzip, chunked")]
    [InlineData("chunked, gzip")]
    [InlineData("chunked, identity")]
    [InlineData("identity")]
    [InlineData("identity, chunked")]
    [InlineData("xchunked")]
    [InlineData("chunkedx")]
    [InlineData("chunked chunked")]
    [InlineData("chunked;q=1")]
    [InlineData("\"chunked\"")]
    [InlineData("\x0b" + "chunked")]
    [InlineData("chunked\x00")]
    public async Task Codings_that_are_not_known_are_refused(string coding)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400, 501);
    }

    [Fact]
    public async Task A_coding_that_is_not_implemented_is_answered_with_501()
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 501);
    }

    [Theory]
    [InlineData(", chunked")]
    [InlineData("chunked,")]
    public async Task Empty_members_of_Transfer_Encoding_are_not_passed_over(string coding)
    {
        // RFC 9110, section 5.6.1.2, would have them passed over. Not every server does, and they are in no honest request.
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 501);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("chunked, gzip")]
    [InlineData("chunked, gzip ,, ")]
    [InlineData("xchunked")]
    [InlineData("chunked;q=1")]
    [InlineData("")]
    public async Task A_last_coding_that_is_not_chunked_is_answered_with_400(string coding)
    {
        // RFC 9112, section 6.3.
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused($"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_connection_ends_after_Transfer_Encoding_in_HTTP_1_0()
    {
        // RFC 9112, section 6.1: the framing is to be treated as faulty.
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.SendAnyway("POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
        RawResponse response = client.ReadResponse();
        Assert.True(response.StatusCode == 400 || response.Text == "hello", $"{response.StatusCode} {response.Text}");
        client.AssertClosed();
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task Content_of_any_method_is_not_taken_for_the_next_request(string method)
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        const string content = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
        client.Send($"{method} /a HTTP/1.1\r\nHost: h\r\nContent-Length: {content.Length}\r\n\r\n{content}GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(200, client.ReadResponse(method).StatusCode);
        Assert.Equal("/b", client.ReadResponse().Text);
    }

    [Fact]
    public async Task A_post_without_framing_has_no_content()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        Assert.Equal("", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal(200, client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_handler_sees_the_length_of_the_content()
    {
        await using var server = new TestServer((response, request) =>
            response.WriteAsync(request.ContentLength.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        using RawClient client = server.Connect();
        Assert.Equal("0", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("5", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").Text);
        Assert.Equal("-1", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").Text);
        Assert.Equal("0", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }
}
