namespace NetGo.Http.Tests;

/// <summary>Handlers.MaxBytes.</summary>
public class MaxBytesTests
{
    private static readonly string s_chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

    [Fact]
    public async Task Content_up_to_the_limit_is_read()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.MaxBytes(new HandlerFunc(Handlers.Echo), 5));
        using RawClient client = server.Connect();
        Assert.Equal("hello", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").Text);
        Assert.Equal("hello", client.Exchange(s_chunked + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n").Text);
        Assert.Equal("", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Fact]
    public async Task More_is_answered_with_413_and_the_connection_ends()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.MaxBytes(new HandlerFunc(Handlers.Echo), 5));
        server.AssertRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nhello!", 413);
        server.AssertRefused(s_chunked + "2\r\nhe\r\n4\r\nllo!\r\n0\r\n\r\n", 413);
        server.AssertAlive();
    }

    [Fact]
    public async Task What_is_announced_to_be_longer_is_not_asked_for()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.MaxBytes(new HandlerFunc(Handlers.Echo), 5));
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
        Assert.Equal(413, client.ReadAnyResponse().StatusCode);
        client.AssertClosed();
    }

    [Fact]
    public async Task A_handler_that_answers_itself_ends_the_connection_too()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.MaxBytes(
            new HandlerFunc(async (response, request) =>
            {
                var thrown = await Assert.ThrowsAsync<BadRequestException>(async () => await request.Body.CopyToAsync(Stream.Null));
                await response.ErrorAsync(422, thrown.StatusCode.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }),
            5));
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(s_chunked + "6\r\nhello!\r\n0\r\n\r\n");
        Assert.Equal(422, response.StatusCode);
        Assert.Equal("413\n", response.Text);
        Assert.True(response.HasConnectionClose);
        client.AssertClosed();
    }
}
