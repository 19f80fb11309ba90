namespace NetGo.Http.Tests;

/// <summary>HealthHandler.</summary>
public class HealthHandlerTests
{
    private static TestServer Serve(HealthHandler health)
    {
        var mux = new ServeMux();
        mux.Handle("GET /livez", health.Live);
        mux.Handle("GET /readyz", health.Ready);
        return new TestServer(mux);
    }

    private static RawResponse Get(TestServer server, string path) => server.Exchange($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");

    [Fact]
    public async Task Checks_decide()
    {
        var log = new MemoryLogger();
        var health = new HealthHandler(log);
        await using TestServer server = Serve(health);
        Assert.Equal("ok\n", Get(server, "/livez").Text);
        bool well = true;
        health.AddReady("one", _ => new ValueTask<bool>(well));
        health.AddReady("two", _ => well ? new ValueTask<bool>(true) : throw new InvalidDataException("secret"));
        RawResponse ready = Get(server, "/readyz");
        Assert.Equal(200, ready.StatusCode);
        Assert.Equal("one: ok\ntwo: ok\n", ready.Text);
        Assert.Equal("no-store", ready.Get("Cache-Control"));
        well = false;
        ready = Get(server, "/readyz");
        Assert.Equal(503, ready.StatusCode);
        Assert.Equal("one: failed\ntwo: failed\n", ready.Text);
        Assert.Contains(log.Entries, entry => entry.Exception is InvalidDataException);
        Assert.Equal(200, Get(server, "/livez").StatusCode);
        well = true;
        health.IsDraining = true;
        Assert.Equal(503, Get(server, "/readyz").StatusCode);
        Assert.Equal(200, Get(server, "/livez").StatusCode);
    }

    [Fact]
    public async Task A_check_that_takes_too_long_fails_and_is_not_started_beside_itself()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int started = 0;
        var health = new HealthHandler();
        health.AddLive("heeds", async token =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return true;
        }, TimeSpan.FromMilliseconds(20));
        health.AddLive("does not", async _ =>
        {
            Interlocked.Increment(ref started);
            await goOn.Task;
            return true;
        }, TimeSpan.FromMilliseconds(20));
        await using TestServer server = Serve(health);
        for (int i = 0; i < 3; i++)
        {
            RawResponse response = Get(server, "/livez");
            Assert.Equal(503, response.StatusCode);
            Assert.Equal("heeds: timed out\ndoes not: timed out\n", response.Text);
        }
        Assert.Equal(1, started);
        goOn.SetResult();
        Bounded.Until(() => Get(server, "/livez").Text.EndsWith("does not: ok\n", StringComparison.Ordinal), "a check that ends");
    }
}
