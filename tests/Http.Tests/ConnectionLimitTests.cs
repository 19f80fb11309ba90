using System.Net;

namespace NetGo.Http.Tests;

/// <summary><see cref="Server.MaxConnections"/> and <see cref="Server.MaxConnectionsPerAddress"/>.</summary>
public class ConnectionLimitTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static void AssertRefused(RawClient client)
    {
        RawResponse response = client.ReadResponse();
        Assert.Equal(503, response.StatusCode);
        Assert.True(response.HasConnectionClose);
        Assert.True(response.IsComplete);
        client.AssertClosed();
    }

    private static void AssertAdmittedAgain(Func<RawClient> connect) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                using RawClient client = connect();
                client.SendAnyway(Get);
                return client.ReadResponse().StatusCode == 200;
            },
            RawClient.BoundMilliseconds),
        "There is room again, and yet the client is refused.");

    [Fact]
    public async Task One_connection_too_many_is_refused_with_503_until_another_ends()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.MaxConnections = 2);
        using RawClient first = server.Connect();
        using RawClient second = server.Connect();
        Assert.Equal(200, first.Exchange(Get).StatusCode);
        Assert.Equal(200, second.Exchange(Get).StatusCode);
        for (int i = 0; i < 3; i++)
        {
            using RawClient third = server.Connect();
            AssertRefused(third);
        }
        Assert.Single(server.Log.Entries, e => e.Message.Contains("is refused", StringComparison.Ordinal));
        Assert.Equal(200, first.Exchange(Get).StatusCode);
        second.Dispose();
        AssertAdmittedAgain(() => server.Connect());
    }

    [Fact]
    public async Task With_TLS_it_is_closed_without_a_word()
    {
        await using var server = new TestServer(
            new HandlerFunc(Handlers.Ok), s => s.MaxConnections = 1, tls: new TlsOptions { CertificateSelector = _ => throw new InvalidOperationException() });
        using RawClient first = server.Connect();
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 1, RawClient.BoundMilliseconds));
        using RawClient second = server.Connect();
        second.AssertClosed();
    }

    [Fact]
    public async Task A_connection_that_a_handler_has_taken_over_counts_until_it_is_closed()
    {
        var taken = new TaskCompletionSource<HijackedStream>();
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/take")
                taken.SetResult(await response.HijackAsync());
        }, s => s.MaxConnections = 1);
        using RawClient first = server.Connect();
        first.Send("GET /take HTTP/1.1\r\nHost: h\r\n\r\n");
        HijackedStream stream = await taken.Task.WaitAsync(TestServer.Bound);
        using (RawClient second = server.Connect())
            AssertRefused(second);
        await stream.DisposeAsync();
        await stream.DisposeAsync(); // counts once
        using RawClient third = server.Connect();
        Assert.Equal(200, third.Exchange(Get).StatusCode);
        using (RawClient fourth = server.Connect())
            AssertRefused(fourth);
    }

    [Fact]
    public async Task A_connection_whose_context_cannot_be_made_does_not_count()
    {
        bool fails = true;
        await using var server = new TestServer(Handlers.Ok, s =>
        {
            s.MaxConnections = 1;
            s.ConnContext = (context, _) => fails ? throw new InvalidOperationException("none") : context;
        });
        for (int i = 0; i < 3; i++)
        {
            // It may be refused at first: the client sees the end of the one before a moment earlier than the server stops counting it.
            Bounded.Until(() =>
            {
                using RawClient client = server.Connect();
                return client.ReadToEnd().Length == 0;
            }, "it is closed without an answer");
        }
        fails = false;
        AssertAdmittedAgain(() => server.Connect());
    }

    [Fact]
    public async Task Addresses_have_a_limit_each()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have one loopback address only.");
        await using var server = new TestServer(Handlers.Ok, s => s.MaxConnectionsPerAddress = 1);
        using RawClient first = server.ConnectFrom("127.0.0.2");
        Assert.Equal(200, first.Exchange(Get).StatusCode);
        using RawClient other = server.ConnectFrom("127.0.0.3");
        Assert.Equal(200, other.Exchange(Get).StatusCode);
        using (RawClient second = server.ConnectFrom("127.0.0.2"))
            AssertRefused(second);
        first.Dispose();
        AssertAdmittedAgain(() => server.ConnectFrom("127.0.0.2"));
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("::ffff:10.0.0.1", "::ffff:10.0.0.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void What_one_client_may_have_for_addresses_counts_as_one(string first, string second, bool same)
    {
        var admission = new ConnectionAdmission(10, 1);
        var a = new object();
        var b = new object();
        Assert.True(admission.TryEnter(a, new IPEndPoint(IPAddress.Parse(first), 1)));
        Assert.Equal(!same, admission.TryEnter(b, new IPEndPoint(IPAddress.Parse(second), 2)));
        admission.Leave(a);
        if (!same)
            admission.Leave(b);
        Assert.True(admission.TryEnter(b, new IPEndPoint(IPAddress.Parse(second), 2)));
    }

    [Fact]
    public void Those_without_an_address_are_under_the_whole_limit_only()
    {
        var admission = new ConnectionAdmission(2, 1);
        var first = new object();
        Assert.True(admission.TryEnter(first, null));
        Assert.True(admission.TryEnter(new object(), null));
        Assert.False(admission.TryEnter(new object(), null));
        admission.Leave(first);
        Assert.True(admission.TryEnter(new object(), null));
    }
}
