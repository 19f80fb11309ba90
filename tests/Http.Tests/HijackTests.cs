using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Taking a connection over, and switching protocols: RFC 9110, section 7.8.</summary>
public class HijackTests
{
    private const string Upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: foo/1, Echo\r\n\r\n";

    private static async ValueTask EchoProtocol(ResponseWriter response, Request request)
    {
        response.Header.Set("X-Own", "1");
        await using HijackedStream stream = await response.UpgradeAsync("echo");
        byte[] buffer = new byte[100];
        int n;
        while ((n = await stream.ReadAsync(buffer)) > 0)
            await stream.WriteAsync(buffer.AsMemory(0, n));
    }

    [Fact]
    public async Task After_the_upgrade_the_other_protocol_is_spoken()
    {
        await using var server = new TestServer(EchoProtocol);
        using RawClient client = server.Connect();
        client.Send(Upgrade + "early"); // what came with the request is the other protocol's
        RawResponse response = client.ReadAnyResponse();
        Assert.Equal(101, response.StatusCode);
        Assert.Equal("Upgrade", response.Get("Connection"));
        Assert.Equal("echo", response.Get("Upgrade"));
        Assert.Equal("1", response.Get("X-Own"));
        Assert.False(response.Has("Content-Length") || response.Has("Transfer-Encoding"));
        Assert.Equal("early", Encoding.ASCII.GetString(client.ReadExactly(5, out _)));
        client.Send("late");
        Assert.Equal("late", Encoding.ASCII.GetString(client.ReadExactly(4, out _)));
        client.HalfClose();
        client.AssertClosed();
        Bounded.Until(() => server.Server.ConnectionCount == 0, "the server has forgotten it");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")]
    public async Task Nothing_is_switched_to_that_the_client_has_not_asked_for(string request)
    {
        await using var server = new TestServer(async (response, _) =>
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await response.UpgradeAsync("echo"));
            await response.WriteAsync("no");
        });
        Assert.Equal("no", server.Exchange(request).Text);
    }

    [Fact]
    public async Task A_hijacked_connection_is_the_handlers_alone()
    {
        var taken = new TaskCompletionSource<HijackedStream>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, _) =>
        {
            taken.SetResult(await response.HijackAsync());
            Assert.Throws<InvalidOperationException>(() => response.WriteHeader(200));
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await response.WriteAsync("x"));
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await response.HijackAsync());
        });
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await using HijackedStream stream = await taken.Task.Within();
        Assert.Equal(client.Socket.LocalEndPoint, stream.RemoteEndPoint);
        Assert.NotNull(stream.Connection);
        Bounded.Until(() => server.Server.ConnectionCount == 0, "the server has forgotten it");
        await server.Server.ShutdownAsync().Within(); // and does not wait for it
        await stream.WriteAsync("anything"u8.ToArray());
        Assert.Equal("anything", Encoding.ASCII.GetString(client.ReadExactly(8, out _)));
    }

    [Fact]
    public async Task The_answers_before_it_are_sent_first()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/1")
            {
                await response.WriteAsync("one");
                return;
            }
            await using HijackedStream stream = await response.HijackAsync();
            await stream.WriteAsync("two"u8.ToArray());
        });
        using RawClient client = server.Connect();
        client.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal("one", client.ReadResponse().Text);
        Assert.Equal("two", Encoding.ASCII.GetString(client.ReadToEnd()));
    }

    [Fact]
    public async Task With_content_unread_or_a_response_begun_it_cannot_be_taken()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/begun")
                response.WriteHeader(202);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await response.HijackAsync());
        });
        using RawClient client = server.Connect();
        Assert.Equal(202, client.Exchange("GET /begun HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        Assert.Equal(200, client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").StatusCode);
    }

    [Fact]
    public async Task A_handler_that_fails_after_it_is_logged_and_sends_nothing()
    {
        HijackedStream? taken = null;
        await using var server = new TestServer(async (response, _) =>
        {
            taken = await response.HijackAsync();
            throw new InvalidOperationException("The handler fails.");
        });
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Bounded.Until(() => server.Log.Entries.Any(static e => e.Exception is InvalidOperationException), "the failure is logged");
        await taken!.DisposeAsync();
        client.AssertClosed();
    }
}
