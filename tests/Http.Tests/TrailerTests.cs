namespace NetGo.Http.Tests;

/// <summary>Trailer fields in both directions: RFC 9110, section 6.5, and RFC 9112, section 7.1.2.</summary>
public class TrailerTests
{
    private const string Chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Fact]
    public async Task A_handler_sees_the_trailer_when_it_has_read_the_content()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            Assert.Empty(request.Trailer);
            await request.Body.CopyToAsync(Stream.Null);
            await response.WriteAsync($"{request.Trailer.Get("x-sum")}|{string.Join(',', request.Trailer.GetAll("A"))}|{request.Header.Get("X-Sum")}");
        });
        using RawClient client = server.Connect();
        Assert.Equal("12|1,2|", client.Exchange(Chunked + "5\r\nhello\r\n0\r\nX-Sum:  12 \r\nA: 1\r\na: 2\r\n\r\n").Text);
        Assert.Equal("||", client.Exchange(Chunked + "0\r\n\r\n").Text); // the next request has none of it
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("content-length: 5")]
    [InlineData("Host: other")]
    [InlineData("Authorization: Basic eA==")]
    [InlineData("Trailer: X")]
    [InlineData(" X: folded")]
    [InlineData("X : 1")]
    [InlineData("X: \u0001")]
    [InlineData("no field")]
    public async Task A_trailer_field_that_belongs_to_the_head_or_is_malformed_is_refused(string field)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused(Chunked + $"5\r\nhello\r\n0\r\n{field}\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_trailer_has_no_more_fields_than_a_head()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxHeaderCount = 3);
        string request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
        Assert.Equal(200, server.Exchange(request + "A: 1\r\nA: 2\r\nA: 3\r\n\r\n").StatusCode);
        server.AssertRefused(request + "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n\r\n", 431);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_response_with_a_trailer_is_chunked(bool flushes)
    {
        await using var server = new TestServer(async (response, _) =>
        {
            await response.WriteAsync("hello");
            if (flushes)
                await response.FlushAsync();
            response.Trailer.Set("X-Sum", "12");
            response.Trailer.Add("Content-Length", "7"); // would belong to the head
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal("hello", response.Text);
            Assert.Equal("chunked", response.Get("Transfer-Encoding"));
            Assert.Equal([new("X-Sum", "12")], response.Trailer);
        }
    }

    [Fact]
    public async Task A_response_without_content_may_have_one_and_http_10_and_head_have_none()
    {
        await using var server = new TestServer((response, _) =>
        {
            response.Trailer.Set("X", "1");
            return default;
        });
        Assert.Equal([new("X", "1")], server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Trailer);
        RawResponse old = server.Exchange("GET / HTTP/1.0\r\n\r\n");
        Assert.Equal("0", old.Get("Content-Length"));
        using RawClient client = server.Connect();
        Assert.Equal(200, client.Exchange("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        Assert.Equal([new("X", "1")], client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Trailer);
    }

    [Fact]
    public async Task The_error_that_takes_the_place_of_a_response_has_no_trailer()
    {
        await using var server = new TestServer((response, _) =>
        {
            response.Trailer.Set("X", "1");
            throw new InvalidOperationException("The handler fails.");
        });
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(500, response.StatusCode);
        Assert.NotNull(response.Get("Content-Length"));
    }
}
