using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Handlers.Timeout.</summary>
public class TimeoutHandlerTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(50);

    private static TestServer Serve(Func<ResponseWriter, Request, ValueTask> handler, TimeSpan timeout, string? text = null) =>
        new(NetGo.Http.Handlers.Timeout(new HandlerFunc(handler), timeout, text));

    [Fact]
    public async Task An_answer_in_time_is_sent_as_it_is()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            response.Header.Set("X-Outer", "o");
            response.Header.Set("X-Both", "o");
            await NetGo.Http.Handlers.Timeout(new HandlerFunc(async (inner, _) =>
            {
                inner.Header.Set("X-Both", "i");
                inner.WriteHeader(201);
                inner.Header.Set("X-Late", "l");
                Encoding.ASCII.GetBytes("one ").CopyTo(inner.GetSpan(4));
                inner.Advance(4);
                await inner.WriteAsync("two ");
                await inner.FlushAsync();
                await inner.WriteAsync(Encoding.ASCII.GetBytes("three"));
                Assert.Throws<NotSupportedException>(() => inner.Trailer);
            }), Bounded.Limit).ServeHttpAsync(response, request);
        });
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(Get);
        Assert.Equal(201, response.StatusCode);
        Assert.Equal("one two three", response.Text);
        Assert.Equal("o", response.Get("X-Outer"));
        Assert.Equal("i", response.Get("X-Both"));
        Assert.False(response.Has("X-Late"));
        Assert.Equal("13", response.Get("Content-Length"));
        Assert.Equal(201, client.Exchange("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_late_one_is_503_at_once_and_what_is_written_later_fails()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(async (response, request) =>
        {
            await response.WriteAsync("never seen");
            await request.Context.WaitDoneAsync();
            await goOn.Task;
            Bounded.Until(() => request.Aborted.IsCancellationRequested, "the token is cancelled, a moment after the context is done");
            Exception? thrown = await Record.ExceptionAsync(async () => await response.WriteAsync("late"));
            ended.SetResult($"{request.Context.Err!.GetType().Name} {request.Aborted.IsCancellationRequested} {thrown!.GetType().Name} {request.Path}");
        }, TimeSpan.FromSeconds(1), "too slow"); // by then the handler has come to its wait
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange("GET /p HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(503, response.StatusCode);
        Assert.Equal("too slow\n", response.Text);
        Assert.True(response.HasConnectionClose);
        Assert.False(ended.Task.IsCompleted);
        goOn.SetResult();
        Assert.Equal("ContextDeadlineExceededException True TimeoutException /p", await ended.Task.Within());
        client.AssertClosed();
        Assert.False(client.WasReset);
    }

    [Fact]
    public async Task A_handler_that_blocks_its_thread_is_late_too()
    {
        using var goOn = new ManualResetEventSlim();
        await using TestServer server = Serve((_, _) =>
        {
            NetGo.Go.Blocking(() => goOn.Wait(Bounded.Limit));
            return default;
        }, s_short);
        using RawClient client = server.Connect();
        Assert.Equal(503, client.Exchange(Get).StatusCode);
        goOn.Set();
        client.AssertClosed();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_deadline_ends_a_read_of_the_content(bool expects)
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(async (_, request) =>
            ended.SetResult(await Record.ExceptionAsync(async () => await request.Body.CopyToAsync(Stream.Null))), s_short);
        using RawClient client = server.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\n{(expects ? "Expect: 100-continue\r\n" : "")}Content-Length: 10\r\n\r\n{(expects ? "" : "abc")}");
        RawResponse response = client.ReadResponse();
        Assert.Equal(503, response.StatusCode);
        Assert.True(await ended.Task.Within() is OperationCanceledException or TimeoutException);
        client.AssertClosed();
    }

    [Fact]
    public async Task Content_in_time_is_read()
    {
        await using TestServer server = Serve(Handlers.Echo, Bounded.Limit);
        using RawClient client = server.Connect();
        Assert.Equal("hello", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").Text);
        Assert.Equal("hi", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").Text);
    }

    [Fact]
    public async Task What_a_handler_throws_in_time_is_the_servers_and_later_nobodys()
    {
        await using TestServer early = Serve((_, _) => throw new InvalidDataException("early"), Bounded.Limit);
        Assert.Equal(500, early.Exchange(Get).StatusCode);
        Assert.Contains(early.Log.Entries, entry => entry.Exception is InvalidDataException);
        await using TestServer late = Serve(async (_, request) =>
        {
            await request.Context.WaitDoneAsync();
            throw new InvalidDataException("late");
        }, s_short);
        using RawClient client = late.Connect();
        Assert.Equal(503, client.Exchange(Get).StatusCode);
        client.AssertClosed();
        Assert.False(client.WasReset);
    }

    [Fact]
    public async Task A_client_that_goes_away_is_no_reason_for_503()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(async (_, request) =>
        {
            entered.SetResult();
            await request.Context.WaitDoneAsync();
            ended.SetResult(request.Context.Err);
        }, Bounded.Limit);
        using RawClient client = server.Connect();
        client.Send(Get);
        await entered.Task.Within();
        client.Reset();
        Assert.IsType<ContextCanceledException>(await ended.Task.Within());
    }
}
