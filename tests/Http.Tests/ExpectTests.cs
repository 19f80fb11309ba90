namespace NetGo.Http.Tests;

/// <summary>RFC 9110, section 10.1.1: Expect.</summary>
public class ExpectTests
{
    private const string Head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

    [Theory]
    [InlineData("100-continue")]
    [InlineData("100-Continue")]
    public async Task The_interim_response_is_sent_when_the_handler_reads_and_not_before(string expectation)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/")
            {
                entered.SetResult();
                await read.Task;
            }

            await Handlers.Echo(response, request);
        });
        using RawClient client = server.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: {expectation}\r\n\r\n");
        await entered.Task.WaitAsync(TestServer.Bound);
        server.AssertAlive();
        Assert.True(client.NothingReceived);
        read.SetResult();
        RawResponse interim = client.ReadAnyResponse();
        Assert.Equal(100, interim.StatusCode);
        Assert.False(interim.Has("Content-Length"));
        Assert.False(interim.Has("Transfer-Encoding"));
        client.Send("hello");
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("hello", response.Text);
        Assert.Equal(200, client.Exchange("GET /next HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task Chunked_content_is_continued_too()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal(100, client.ReadAnyResponse().StatusCode);
        client.Send("5\r\nhello\r\n0\r\n\r\n");
        Assert.Equal("hello", client.ReadAnyResponse().Text);
    }

    [Fact]
    public async Task Bad_content_after_the_interim_response_is_refused()
    {
        await using var server = new TestServer(async (response, request) => await request.Body.CopyToAsync(Stream.Null));
        using RawClient client = server.Connect();
        // An answer before it, so that the refusal does not begin where the connection's output began.
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\nPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal(200, client.ReadAnyResponse().StatusCode);
        Assert.Equal(100, client.ReadAnyResponse().StatusCode);
        client.Send("no size\r\n");
        Assert.Equal(400, client.ReadAnyResponse().StatusCode);
        Assert.Empty(client.ReadToEnd());
    }

    [Fact]
    public async Task Several_reads_are_continued_once()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send(Head);
        Assert.Equal(100, client.ReadAnyResponse().StatusCode);
        foreach (char character in "hello")
            client.Send(character.ToString());
        Assert.Equal(200, client.ReadAnyResponse().StatusCode);
    }

    [Fact]
    public async Task No_interim_response_is_sent_when_the_handler_answers_without_reading()
    {
        await using var server = new TestServer((response, request) =>
        {
            response.WriteHeader(request.Path == "/" ? 403 : 200);
            return default;
        });
        using RawClient client = server.Connect();
        client.Send(Head);
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(403, response.StatusCode);
        if (response.HasConnectionClose)
        {
            client.AssertClosed();
            return;
        }

        // The connection goes on: then the content is to come, and the next request after it.
        client.Send("hello");
        Assert.Equal(200, client.Exchange("GET /next HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task No_content_that_was_announced_is_taken_for_a_request_when_the_handler_did_not_ask_for_it()
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        const string content = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
        client.SendAnyway($"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {content.Length}\r\nExpect: 100-continue\r\n\r\n{content}");
        client.HalfClose();
        Assert.Equal("/a", client.ReadResponse().Text);
        client.AssertClosed();
    }

    [Fact]
    public async Task Content_that_is_there_already_is_read_with_or_without_an_interim_response()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        Assert.Equal("hello", client.Exchange(Head + "hello").Text);
        Assert.Equal(200, client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task Chunked_content_that_is_there_already_and_empty_does_not_end_the_connection()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n0\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.False(response.Has("Connection"));
        Assert.Equal(200, client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task No_interim_response_is_sent_to_HTTP_1_0()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        client.Send("hello");
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("hello", response.Text);
    }

    [Fact]
    public async Task No_interim_response_is_sent_where_there_is_no_content()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal(200, client.ReadAnyResponse().StatusCode);
    }

    [Fact]
    public async Task No_interim_response_is_sent_after_the_answer_has_begun()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync("begun");
            await response.FlushAsync();
            await request.Body.CopyToAsync(Stream.Null);
        });
        using RawClient client = server.Connect();
        client.Send(Head);
        client.Send("hello");
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("begun", response.Text);
    }

    [Theory]
    [InlineData("200-ok")]
    [InlineData("100-continued")]
    [InlineData("100-continue, other")]
    public async Task Other_expectations_are_answered_with_417(string expectation)
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        Assert.Equal(417, client.Exchange($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: {expectation}\r\n\r\nhello").StatusCode);
    }
}
