namespace NetGo.Http.Tests;

/// <summary>The time-outs of <see cref="Server"/>. They are set short here; that they end what they should is asserted, not when.
/// </summary>
public class TimeoutTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_head = TimeSpan.FromSeconds(1); // within which the client, too, has to begin

    [Theory]
    [InlineData("G")]
    [InlineData("GET / HT")]
    [InlineData("GET / HTTP/1.1\r\nHost: h\r\n")]
    [InlineData(Get + "GET /second HTTP/1.1\r\n")]
    public async Task A_head_that_takes_too_long_is_answered_with_408(string start)
    {
        await using var server = new TestServer(Handlers.Ok, s => s.ReadHeaderTimeout = s_head);
        using RawClient client = server.Connect();
        client.Send(start);
        if (start.StartsWith(Get, StringComparison.Ordinal))
            Assert.Equal(200, client.ReadResponse().StatusCode);
        RawResponse response = client.ReadResponse();
        Assert.Equal(408, response.StatusCode);
        Assert.True(response.HasConnectionClose);
        client.AssertClosed();
        server.AssertAlive();
    }

    [Fact]
    public async Task A_head_that_trickles_in_is_not_given_more_time()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.ReadHeaderTimeout = s_head);
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\nX: ");
        using var stop = new CancellationTokenSource(TestServer.Bound);
        Task sending = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                client.SendAnyway("x");
                await Task.Delay(20);
            }
        });
        Assert.Equal(408, client.ReadResponse().StatusCode);
        Assert.False(stop.IsCancellationRequested);
        await stop.CancelAsync();
        await sending;
    }

    [Fact]
    public async Task The_time_of_a_head_begins_with_its_first_byte()
    {
        // A connection that waits longer for its request than a head may take is not late.
        await using var server = new TestServer(Handlers.Ok, s => s.ReadHeaderTimeout = s_head);
        using RawClient client = server.Connect();
        Assert.Equal(200, client.Exchange(Get).StatusCode);
        await Task.Delay(1.2 * s_head);
        Assert.Equal(200, client.Exchange(Get).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Get)]
    public async Task An_idle_connection_is_closed_without_a_word(string before)
    {
        await using var server = new TestServer(Handlers.Ok, s => s.IdleTimeout = s_head); // which the first head has, too
        using RawClient client = server.Connect();
        if (before.Length > 0)
            Assert.Equal(200, client.Exchange(before).StatusCode);
        client.AssertClosed();
        Assert.False(client.WasReset);
        server.AssertAlive();
    }

    [Fact]
    public async Task The_first_request_has_no_more_time_than_a_head()
    {
        // The time for an idle connection is 130 s.
        await using var server = new TestServer(Handlers.Ok, s => s.ReadHeaderTimeout = s_short);
        using RawClient client = server.Connect();
        client.AssertClosed();
    }

    [Fact]
    public async Task A_handler_may_take_longer_than_any_time_out()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            await Task.Delay(1.2 * s_head);
            await response.WriteAsync("late");
        }, s => s.ReadHeaderTimeout = s.ReadTimeout = s.WriteTimeout = s.IdleTimeout = s_head);
        using RawClient client = server.Connect();
        Assert.Equal("late", client.Exchange(Get).Text);
        Assert.Equal("late", client.Exchange(Get).Text);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345")]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\na\r\n12345")]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")]
    public async Task Content_that_does_not_come_ends_the_connection(string request)
    {
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, r) =>
        {
            if (r.Path == "/alive")
                return;
            outcome.TrySetResult(await Record.ExceptionAsync(async () => await r.Body.CopyToAsync(Stream.Null)));
            if (await outcome.Task is { } exception)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(exception);
        }, s => s.ReadTimeout = s_short);
        using RawClient client = server.Connect();
        client.Send(request);
        byte[] answer = client.ReadToEnd();
        if (answer.Length > 0)
            Assert.StartsWith("HTTP/1.1 408", System.Text.Encoding.Latin1.GetString(answer), StringComparison.Ordinal);
        Exception? seen = await outcome.Task.WaitAsync(TestServer.Bound);
        Assert.True(seen is TimeoutException or BadRequestException { StatusCode: 408 }, $"{seen}");
        server.AssertAlive();
    }

    [Fact]
    public async Task Content_that_nobody_reads_and_that_does_not_come_ends_the_connection_after_the_answer()
    {
        await using var server = new TestServer(Handlers.Ok, s => s.ReadTimeout = s_short);
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
        Assert.Equal("ok", client.ReadResponse().Text);
        client.AssertClosed();
    }

    [Fact]
    public async Task Content_that_keeps_coming_may_take_longer_than_one_read()
    {
        // The whole takes longer than the time-out, each piece a tenth of it: a busy machine makes pieces late.
        await using var server = new TestServer(Handlers.Echo, s => s.ReadTimeout = TimeSpan.FromSeconds(4));
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
        for (int i = 0; i < 12; i++)
        {
            await Task.Delay(400);
            client.Send("a");
        }

        Assert.Equal("aaaaaaaaaaaa", client.ReadResponse().Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_does_not_read_is_given_up(bool oneWrite)
    {
        const int size = 64 * 1024 * 1024;
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/alive")
                return;
            try
            {
                if (oneWrite)
                {
                    await response.WriteAsync(new byte[size]);
                }
                else
                {
                    byte[] piece = new byte[64 * 1024];
                    for (int i = 0; i < size; i += piece.Length)
                        await response.WriteAsync(piece);
                }

                outcome.TrySetResult(null);
            }
            catch (Exception exception)
            {
                outcome.TrySetResult(exception);
                throw;
            }
        }, s => s.WriteTimeout = s_short);
        using RawClient client = server.Connect(receiveBufferSize: 4096);
        client.Send(Get);
        Exception? seen = await outcome.Task.WaitAsync(TestServer.Bound);
        Assert.True(seen is IOException or TimeoutException, $"{seen}");
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds), "The connection is still open.");
        Assert.InRange(client.ReadToEnd().Length, 1, size - 1);
        Assert.True(client.WasReset, "The end of an answer that was given up looks like its end.");
        server.AssertAlive();
    }

    [Fact]
    public async Task A_client_that_does_not_read_pipelined_answers_is_given_up()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer((response, request) =>
        {
            entered.TrySetResult();
            return response.WriteAsync(new string('x', request.Path == "/alive" ? 1 : 50_000));
        }, s => s.WriteTimeout = s_short);
        using RawClient client = server.Connect(receiveBufferSize: 4096);
        Task sending = Task.Run(() => client.SendAnyway(string.Concat(Enumerable.Repeat(Get, 2000))));
        await entered.Task.WaitAsync(TestServer.Bound);
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds), "The connection is still open.");
        await sending.WaitAsync(TestServer.Bound);
        server.AssertAlive();
    }

    [Fact]
    public async Task A_client_that_reads_slowly_is_not_given_up()
    {
        // Each write waits less than the time-out, all of them together much longer.
        await using var server = new TestServer((response, request) => response.WriteAsync(new byte[8 * 1024 * 1024]), s => s.WriteTimeout = TimeSpan.FromSeconds(1));
        using RawClient client = server.Connect(receiveBufferSize: 64 * 1024);
        client.Send(Get);
        int total = await Task.Factory.StartNew(
            () =>
            {
                int read = 0;
                for (int i = 0; i < 12; i++)
                {
                    Thread.Sleep(150);
                    read += client.ReadExactly(500_000, out bool complete).Length;
                    Assert.True(complete);
                }
                return read;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default); // a pool's thread may be late by more than the time-out
        client.HalfClose();
        total += client.ReadToEnd().Length;
        Assert.False(client.WasReset);
        Assert.True(total > 8 * 1024 * 1024);
    }
}
