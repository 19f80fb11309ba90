using System.Text;

namespace NetGo.Http.Tests;

/// <summary>RFC 9112, section 9: how long a connection lives, and what its two ends may do to it.</summary>
public class ConnectionTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact]
    public async Task A_connection_serves_many_requests()
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        for (int i = 0; i < 1000; i++)
        {
            RawResponse response = client.Exchange($"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal($"/{i}", response.Text);
            Assert.False(response.HasConnectionClose);
        }
    }

    [Theory]
    [InlineData("close")]
    [InlineData("Close")]
    [InlineData("foo, close")]
    [InlineData("close, foo")]
    [InlineData("keep-alive, close")]
    [InlineData("foo\r\nConnection: close")]
    public async Task A_connection_ends_when_the_client_says_close(string value)
    {
        bool? seen = null;
        await using var server = new TestServer((response, request) =>
        {
            seen = request.Close;
            return response.WriteAsync("a");
        });
        using RawClient client = server.Connect();
        client.SendAnyway($"GET / HTTP/1.1\r\nHost: h\r\nConnection: {value}\r\n\r\n{Get}");
        RawResponse response = client.ReadResponse();
        Assert.Equal("a", response.Text);
        Assert.True(response.HasConnectionClose);
        client.AssertClosed();
        Assert.True(seen);
    }

    [Theory]
    [InlineData("keep-alive")]
    [InlineData("closed")]
    [InlineData("foo")]
    [InlineData("")]
    public async Task A_connection_of_HTTP_1_1_goes_on_otherwise(string value)
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient client = server.Connect();
        for (int i = 0; i < 3; i++)
            Assert.False(client.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nConnection: {value}\r\n\r\n").HasConnectionClose);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("Close")]
    public async Task A_connection_ends_when_the_handler_says_close(string value)
    {
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Set("Connection", value);
            return response.WriteAsync("a");
        });
        using RawClient client = server.Connect();
        client.SendAnyway(Get + Get);
        RawResponse response = client.ReadResponse();
        Assert.Equal("a", response.Text);
        Assert.Equal(value, response.Get("Connection"), ignoreCase: true);
        client.AssertClosed();
    }

    [Fact]
    public async Task A_connection_of_HTTP_1_0_ends_after_one_answer()
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient client = server.Connect();
        client.SendAnyway("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");
        Assert.Equal("ok", client.ReadResponse().Text);
        client.AssertClosed();
    }

    [Fact]
    public async Task A_connection_of_HTTP_1_0_goes_on_when_both_say_keep_alive()
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient client = server.Connect();
        for (int i = 0; i < 3; i++)
        {
            RawResponse response = client.Exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            Assert.Equal("ok", response.Text);
            Assert.Equal("keep-alive", response.Get("Connection"), ignoreCase: true);
            Assert.Equal("2", response.Get("Content-Length"));
        }

        Assert.Equal("ok", client.Exchange("GET / HTTP/1.0\r\n\r\n").Text);
        client.AssertClosed();
    }

    [Theory]
    [InlineData("")]
    [InlineData("Connection: keep-alive\r\n")]
    public async Task No_chunks_are_sent_to_HTTP_1_0(string field)
    {
        // RFC 9112, section 6.1: the end of the connection is the end of the content.
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync("a");
            await response.FlushAsync();
            await response.WriteAsync(new string('b', 200_000));
        });
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange($"GET / HTTP/1.0\r\n{field}\r\n");
        Assert.False(response.Has("Transfer-Encoding"));
        Assert.True(response.EndedByClose);
        Assert.Equal(200_001, response.Content.Length);
        Assert.DoesNotContain("keep-alive", response.GetAll("Connection"));
    }

    [Fact]
    public async Task A_client_that_has_ended_its_side_still_gets_the_answer()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/late")
                await go.Task;
            await response.WriteAsync(request.Path);
        });
        using RawClient client = server.Connect();
        client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /late HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        client.HalfClose();
        Assert.Equal("/a", client.ReadResponse().Text);
        server.AssertAlive();
        go.SetResult();
        Assert.Equal("/late", client.ReadResponse().Text);
        Assert.Equal("/b", client.ReadResponse().Text);
        client.AssertClosed();
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET / HT")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nX: ")]
    public async Task A_client_that_ends_without_a_whole_request_gets_400_or_nothing(string start)
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient client = server.Connect();
        client.Send(start);
        client.HalfClose();
        string answer = Encoding.Latin1.GetString(client.ReadToEnd());
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), answer);
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds));
    }

    [Fact]
    public async Task A_reset_while_the_handler_runs_fails_its_writes_and_nothing_else()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outcome = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/alive")
                return;
            entered.SetResult();
            await go.Task;
            try
            {
                while (true)
                {
                    await response.WriteAsync(new byte[10_000]);
                    await response.FlushAsync();
                }
            }
            catch (Exception exception)
            {
                outcome.SetResult(exception);
                throw;
            }
        });
        RawClient client = server.Connect();
        client.Send(Get);
        await entered.Task.WaitAsync(TestServer.Bound);
        client.Reset();
        go.SetResult();
        Assert.IsAssignableFrom<IOException>(await outcome.Task.WaitAsync(TestServer.Bound));
        server.AssertAlive();
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds));
    }

    [Fact]
    public async Task Resets_at_any_time_leave_no_connection_behind()
    {
        await using var server = new TestServer(Handlers.Echo);
        const string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n01234567890123456789";
        for (int length = 0; length <= request.Length; length++)
        {
            RawClient client = server.Connect();
            client.Send(request[..length]);
            client.Reset();
        }

        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds));
        server.AssertAlive();
    }

    [Fact]
    public async Task Open_connections_are_counted()
    {
        await using var server = new TestServer(Handlers.Ok);
        RawClient[] clients = [.. Enumerable.Range(0, 50).Select(_ => server.Connect())];
        foreach (RawClient client in clients)
            Assert.Equal("ok", client.Exchange(Get).Text);
        Assert.Equal(50, server.Server.ConnectionCount);
        foreach (RawClient client in clients)
            client.Dispose();
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds));
    }

    [Fact]
    public async Task Many_connections_one_after_the_other_are_served()
    {
        await using var server = new TestServer(Handlers.Ok);
        for (int i = 0; i < 1000; i++)
            Assert.Equal("ok", server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").Text);
    }
}
