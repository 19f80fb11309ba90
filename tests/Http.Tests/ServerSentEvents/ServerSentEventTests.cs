using System.Text;

namespace NetGo.Http.Tests.ServerSentEvents;

/// <summary>Server-sent events on the wire: the HTML standard, section 9.2.</summary>
public class ServerSentEventTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static async Task<RawResponse> AnswerAsync(Func<EventStreamWriter, Task> send, string request = Get)
    {
        await using var server = new TestServer(async (response, r) =>
        {
            await using EventStreamWriter events = await response.StartServerSentEventsAsync(r);
            await send(events);
        });
        return server.Exchange(request);
    }

    private static string Utf8(RawResponse response) => Encoding.UTF8.GetString(response.Content);

    [Fact]
    public async Task The_head_says_what_it_is_and_that_nobody_keeps_it()
    {
        RawResponse response = await AnswerAsync(static _ => Task.CompletedTask);
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("text/event-stream", response.Get("Content-Type"));
        Assert.Equal("no-cache", response.Get("Cache-Control"));
        Assert.Equal("no", response.Get("X-Accel-Buffering"));
        Assert.Equal("chunked", response.Get("Transfer-Encoding"));
    }

    [Fact]
    public async Task An_event_has_its_fields_and_a_blank_line()
    {
        RawResponse response = await AnswerAsync(static async events =>
        {
            await events.SendAsync("a", "greeting", "7 ü", TimeSpan.FromSeconds(1.5));
            await events.SendAsync("b");
            await events.SendCommentAsync("c\nd");
        });
        Assert.Equal("event: greeting\nid: 7 ü\nretry: 1500\ndata: a\n\ndata: b\n\n: c\n: d\n\n", Utf8(response));
        Assert.Equal(3, response.ChunkCount);
    }

    [Theory]
    [InlineData("", "data: \n\n")]
    [InlineData(" x", "data:  x\n\n")]
    [InlineData("a\nb\rc\r\nd", "data: a\ndata: b\ndata: c\ndata: d\n\n")]
    [InlineData("a\n\r\n", "data: a\ndata: \ndata: \n\n")]
    [InlineData("a\r\rb\n\nid: 1", "data: a\ndata: \ndata: b\ndata: \ndata: id: 1\n\n")]
    public async Task Lines_of_data_are_split_wherever_a_browser_would(string data, string expected) =>
        Assert.Equal(expected, Utf8(await AnswerAsync(events => events.SendAsync(data).AsTask())));

    [Theory]
    [InlineData("a\rb")]
    [InlineData("a\n")]
    [InlineData("\0")]
    public async Task Line_ends_in_types_and_ids_are_refused(string text) =>
        Assert.Equal("", (await AnswerAsync(async events =>
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await events.SendAsync("x", eventType: text));
            await Assert.ThrowsAsync<ArgumentException>(async () => await events.SendAsync("x", id: text));
        })).Text);

    [Fact]
    public async Task Each_event_is_sent_at_once()
    {
        var next = new SemaphoreSlim(0);
        await using var server = new TestServer(async (response, request) =>
        {
            await using EventStreamWriter events = await response.StartServerSentEventsAsync(request, Timeout.InfiniteTimeSpan);
            for (int i = 0; i < 3; i++)
            {
                await next.WaitAsync();
                await events.SendAsync($"{i}");
            }
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        client.ReadToLastContent("\r\n\r\n"u8, 1); // the head has come although nothing was sent
        for (int i = 0; i < 3; i++)
        {
            next.Release();
            client.ReadToLastContent(Encoding.ASCII.GetBytes($"data: {i}\n\n\r\n"), 1);
        }
        client.ReadToLastContent("0\r\n\r\n"u8, 1);
    }

    [Fact]
    public async Task A_silent_stream_is_kept_alive_by_comments()
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            await using EventStreamWriter events = await response
                .StartServerSentEventsAsync(request, TimeSpan.FromMilliseconds(20));
            await heard.Task;
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        client.ReadToLastContent(": \n\n"u8, 3);
        heard.SetResult();
        client.ReadToLastContent("0\r\n\r\n"u8, 1);
        Assert.Equal(200, client.Exchange(Get).StatusCode); // no comment got into what follows
    }

    [Fact]
    public async Task Many_may_send_at_once()
    {
        RawResponse response = await AnswerAsync(static events =>
            Task.WhenAll(Enumerable.Range(0, 50).Select(i => events.SendAsync($"{i}\n{i}").AsTask())));
        IEnumerable<string> expected = Enumerable.Range(0, 50).Select(static i => $"data: {i}\ndata: {i}").Order();
        Assert.Equal(expected, response.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task It_ends_when_the_client_goes()
    {
        var ended = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            await using EventStreamWriter events = await response.StartServerSentEventsAsync(request);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, events.Aborted));
            ended.SetResult(await Assert.ThrowsAnyAsync<IOException>(async () => await events.SendAsync("x")));
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        client.ReadToLastContent("\r\n\r\n"u8, 1);
        client.Reset();
        await ended.Task.Within();
    }

    [Fact]
    public async Task After_it_was_disposed_of_nothing_is_sent() =>
        Assert.Equal("", (await AnswerAsync(static async events =>
        {
            await events.DisposeAsync();
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await events.SendAsync("x").AsTask().Within());
        })).Text);

    [Fact]
    public async Task The_last_id_comes_back_from_the_client()
    {
        string? id = "?";
        await using var server = new TestServer((_, request) =>
        {
            id = request.LastEventId;
            return default;
        });
        server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 7 \xc3\xbc\r\n\r\n");
        Assert.Equal("7 ü", id);
        server.Exchange(Get);
        Assert.Null(id);
    }
}
