using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Handlers that throw: the client never takes a broken answer for a whole one, and the server lives on.</summary>
public class HandlerFailureTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exception_before_anything_is_sent_is_answered_with_500(bool asynchronous)
    {
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Set("X-Secret", "a");
            return asynchronous ? ThrowLater() : throw new InvalidTimeZoneException("the reason");
        });
        using RawClient client = server.Connect();
        RawResponse answer = client.Exchange(Get);
        Assert.Equal(500, answer.StatusCode);
        Assert.DoesNotContain("the reason", answer.Text, StringComparison.Ordinal);
        if (answer.HasConnectionClose)
            client.AssertClosed();
        else
            Assert.Equal(500, client.Exchange(Get).StatusCode);
        Assert.Contains(server.Log.Entries, entry => entry.Exception is InvalidTimeZoneException);
        Assert.Equal(500, server.Exchange(Get).StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exception_after_content_was_buffered_does_not_leave_a_whole_200(bool asynchronous)
    {
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/alive")
                return;
            await response.WriteAsync("half of it");
            if (asynchronous)
                await Task.Yield();
            throw new InvalidTimeZoneException();
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        client.HalfClose();
        string answer = Encoding.Latin1.GetString(client.ReadToEnd());
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 500", StringComparison.Ordinal), answer);
        server.AssertAlive();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exception_after_a_flush_breaks_the_connection(bool declaredLength)
    {
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/alive")
                return;
            if (declaredLength)
                response.Header.Set("Content-Length", "100");
            await response.WriteAsync("half of it");
            await response.FlushAsync();
            throw new InvalidTimeZoneException();
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        RawResponse response = client.ReadResponse();
        Assert.Equal(200, response.StatusCode);
        Assert.False(response.IsComplete, "RFC 9112, section 8: an answer that broke off must not look whole.");
        client.AssertClosed();
        server.AssertAlive();
    }

    [Fact]
    public async Task Requests_behind_one_whose_handler_throws_are_answered_or_the_connection_ends()
    {
        await using var server = new TestServer((response, request) =>
            request.Path == "/throw" ? throw new InvalidTimeZoneException() : response.WriteAsync(request.Path));
        using RawClient client = server.Connect();
        client.SendAnyway("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /throw HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal("/a", client.ReadResponse().Text);
        RawResponse response = client.ReadResponse();
        Assert.Equal(500, response.StatusCode);
        if (response.HasConnectionClose)
            client.AssertClosed();
        else
            Assert.Equal("/b", client.ReadResponse().Text);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(408)]
    [InlineData(413)]
    public async Task A_BadRequestException_of_a_handler_is_answered_with_its_status(int statusCode)
    {
        await using var server = new TestServer((response, request) => throw new BadRequestException(statusCode, "reason"));
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(Get);
        Assert.Equal(statusCode, response.StatusCode);
        Assert.True(response.HasConnectionClose);
        client.AssertClosed();
    }

    [Fact]
    public async Task A_handler_that_throws_while_its_client_still_sends_is_answered()
    {
        await using var server = new TestServer((response, request) => throw new InvalidTimeZoneException());
        using RawClient client = server.Connect();
        client.SendAnyway("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + new string('a', 100_000));
        Assert.Equal(500, client.ReadResponse().StatusCode);
        server.Exchange(Get);
    }

    [Fact]
    public async Task A_handler_that_cancels_itself_is_answered_with_500()
    {
        await using var server = new TestServer(async (response, request) => await Task.Delay(1, new CancellationToken(true)));
        Assert.Equal(500, server.Exchange(Get).StatusCode);
    }

    [Fact]
    public async Task Many_handlers_that_throw_leave_no_connection_behind()
    {
        await using var server = new TestServer((response, request) => ThrowLater());
        for (int i = 0; i < 200; i++)
            Assert.Equal(500, server.Exchange(Get).StatusCode);
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds));
    }

    private static async ValueTask ThrowLater()
    {
        await Task.Yield();
        throw new InvalidTimeZoneException("the reason");
    }
}
