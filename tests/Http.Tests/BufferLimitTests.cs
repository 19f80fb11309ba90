namespace NetGo.Http.Tests;

/// <summary>A server whose pool has no memory left for requests.</summary>
public class BufferLimitTests
{
    [Fact]
    public async Task A_request_for_which_there_is_no_memory_is_answered_with_503_and_the_next_one_served_when_there_is()
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = 8 << 20, ReservePercent = 25 });
        await using var server = new TestServer(Handlers.Ok, s => s.BufferTimeout = TimeSpan.FromMilliseconds(50), buffers: pool);
        Assert.Equal(200, server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        List<NetBuffer> all = RentAll(pool);

        using (RawClient client = server.Connect())
        {
            RawResponse response = client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal(503, response.StatusCode);
            Assert.Equal("close", response.Get("Connection"));
            client.AssertClosed();
        }
        Assert.Single(server.Log.Entries, static entry => entry.Message.Contains("503", StringComparison.Ordinal));

        all.ForEach(static b => b.Return());
        Assert.Equal(200, server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_request_waits_for_memory_for_a_while()
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = 8 << 20 });
        await using var server = new TestServer(Handlers.Ok, s => s.BufferTimeout = Timeout.InfiniteTimeSpan, buffers: pool);
        List<NetBuffer> all = RentAll(pool);
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Bounded.Until(() => pool.GetStatistics().Waiting == 1, "the request waits");
        all.ForEach(static b => b.Return());
        Assert.Equal(200, client.ReadResponse().StatusCode);
    }

    [Fact]
    public async Task A_request_that_waits_for_memory_ends_when_the_server_is_closed()
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = 8 << 20 });
        await using var server = new TestServer(Handlers.Ok, s => s.BufferTimeout = Timeout.InfiniteTimeSpan, buffers: pool);
        List<NetBuffer> all = RentAll(pool);
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Bounded.Until(() => pool.GetStatistics().Waiting == 1, "the request waits");
        server.Server.Close();
        client.AssertClosed();
        Bounded.Until(() => server.Server.ConnectionCount == 0, "the connection has ended");
        Assert.Equal(0, pool.GetStatistics().Waiting);
        all.ForEach(static b => b.Return());
    }

    [Fact]
    public async Task A_handler_that_finds_no_memory_is_answered_for_with_503()
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = 8 << 20 });
        await using var server = new TestServer((_, _) => throw new InsufficientMemoryException("None."), buffers: pool);
        server.AssertRefused("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 503);
    }

    // Not even the reserve: there is no memory to write the answer into either.
    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n\r\n", false)]
    [InlineData("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", false)]
    public async Task Without_any_memory_at_all_the_answer_is_503_yet(string request, bool none)
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = 8 << 20 });
        List<NetBuffer> reserve = [];
        await using var server = new TestServer(
            (response, _) => response.WriteAsync("!"), s => s.BufferTimeout = TimeSpan.FromMilliseconds(50), buffers: pool);
        List<NetBuffer> reading = RentAll(pool);
        Assert.Throws<InsufficientMemoryException>(RentReserve);
        if (!none)
            reading[0].Return(); // enough to read the request
        using (RawClient client = server.Connect())
        {
            client.Send(request);
            RawResponse response = client.ReadResponse(request.Split(' ')[0]);
            Assert.Equal(503, response.StatusCode);
            client.AssertClosed();
        }
        reading.Skip(none ? 0 : 1).Concat(reserve).ToList().ForEach(static b => b.Return());
        Assert.Equal(200, server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);

        void RentReserve()
        {
            while (true)
                reserve.Add(pool.Rent(1));
        }
    }

    // Also what the processors have at hand, and what a connection that ends has yet.
    private static List<NetBuffer> RentAll(BufferPool pool)
    {
        List<NetBuffer> all = [];
        Bounded.Until(() =>
        {
            pool.ReleaseUnused();
            while (pool.TryRent(1) is { } buffer)
                all.Add(buffer);
            IReadOnlyList<BufferClassStatistics> classes = pool.GetStatistics().Classes;
            return classes.All(static c => c.Cached == 0) && classes.Sum(static c => c.InUse) == all.Count;
        }, "all is rented");
        return all;
    }
}
