using System.Threading.RateLimiting;

namespace NetGo.Http.Tests;

/// <summary>WithRateLimiter and WithConcurrencyLimit.</summary>
public class RateLimiterTests
{
    private static string Get(string client) => $"GET / HTTP/1.1\r\nHost: h\r\nX-Client: {client}\r\n\r\n";

    [Fact]
    public async Task Each_client_has_its_rate()
    {
        var options = new RateLimitOptions { PerSecond = 1, Burst = 3, Client = request => request.Header.Get("X-Client")! };
        await using var server = new TestServer(new HandlerFunc(Handlers.Ok).WithRateLimiter(options));
        using RawClient client = server.Connect();
        // More than the burst in less than any run takes to be given so many more.
        List<RawResponse> answers = [.. Enumerable.Range(0, 40).Select(_ => client.Exchange(Get("a")))];
        Assert.All(answers.Take(3), answer => Assert.Equal(200, answer.StatusCode));
        RawResponse refused = answers.First(answer => answer.StatusCode != 200);
        Assert.Equal(429, refused.StatusCode);
        Assert.Equal("1", refused.Get("Retry-After"));
        Assert.Equal(200, client.Exchange(Get("b")).StatusCode);
    }

    [Fact]
    public async Task By_default_a_client_is_its_address()
    {
        await using var server = new TestServer(new HandlerFunc(Handlers.Ok).WithRateLimiter(new RateLimitOptions { PerSecond = 1, Burst = 1 }));
        Assert.Equal(200, server.Exchange(Get("a")).StatusCode);
        Bounded.Until(() => server.Exchange(Get("b")).StatusCode == 429, "429 on another connection");
    }

    [Fact]
    public async Task Any_limiter_may_be_asked_and_its_lease_ends_with_the_handler()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(new HandlerFunc(async (response, request) =>
        {
            entered.TrySetResult();
            await goOn.Task;
            await response.WriteAsync("ok");
        }).WithRateLimiter(
            request => RateLimitPartition.GetConcurrencyLimiter(request.Header.Get("X-Client")!, _ => new ConcurrencyLimiterOptions { PermitLimit = 1 }),
            418));
        using RawClient first = server.Connect();
        first.Send(Get("a"));
        await entered.Task.Within();
        Assert.Equal(418, server.Exchange(Get("a")).StatusCode);
        goOn.SetResult();
        Assert.Equal(200, first.ReadResponse().StatusCode);
        Bounded.Until(() => server.Exchange(Get("a")).StatusCode == 200, "the lease has ended");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task So_many_at_a_time_and_so_many_waiting(int queue)
    {
        using var entered = new SemaphoreSlim(0);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(new HandlerFunc(async (response, request) =>
        {
            entered.Release();
            await goOn.Task;
            await response.WriteAsync("ok");
        }).WithConcurrencyLimit(2, queue));
        using RawClient first = server.Connect();
        using RawClient second = server.Connect();
        first.Send(Get("a"));
        second.Send(Get("a"));
        Assert.True(await entered.WaitAsync(Bounded.Limit) && await entered.WaitAsync(Bounded.Limit));
        // One of them waits if there is a place; the other is refused.
        using RawClient third = server.Connect();
        using RawClient fourth = server.Connect();
        third.Send(Get("a"));
        if (queue == 0)
        {
            RawResponse refused = third.ReadResponse();
            Assert.Equal(503, refused.StatusCode);
            Assert.Equal("1", refused.Get("Retry-After"));
            fourth.Send(Get("a"));
            Assert.Equal(503, fourth.ReadResponse().StatusCode);
        }
        else
        {
            fourth.Send(Get("a"));
            Bounded.Until(() => third.Socket.Available > 0 || fourth.Socket.Available > 0, "one is refused");
            Assert.Equal(503, (third.Socket.Available > 0 ? third : fourth).ReadResponse().StatusCode);
        }
        goOn.SetResult();
        Assert.Equal(200, first.ReadResponse().StatusCode);
        Assert.Equal(200, second.ReadResponse().StatusCode);
        if (queue == 1)
        {
            Bounded.Until(() => third.Socket.Available > 0 || fourth.Socket.Available > 0, "the other is served");
            Assert.Equal(200, (third.Socket.Available > 0 ? third : fourth).ReadResponse().StatusCode);
        }
    }
}
