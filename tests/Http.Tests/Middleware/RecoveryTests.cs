namespace NetGo.Http.Tests;

/// <summary>WithRecovery.</summary>
public class RecoveryTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static IHandler Throwing(Func<ResponseWriter, Request, ValueTask> before, Exception thrown, MemoryLogger log) =>
        new HandlerFunc(async (response, request) =>
        {
            await before(response, request);
            throw thrown;
        }).WithRecovery(log);

    [Fact]
    public async Task An_exception_is_logged_and_answered_with_500()
    {
        var log = new MemoryLogger();
        await using var server = new TestServer(Throwing((response, _) =>
        {
            response.Header.Set("Content-Length", "100");
            return default;
        }, new InvalidDataException("secret"), log));
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++) // the connection stays
        {
            RawResponse response = client.Exchange(Get);
            Assert.Equal(500, response.StatusCode);
            Assert.Equal("500 Internal Server Error\n", response.Text);
        }
        Assert.Equal(2, log.Entries.Count(entry => entry.Exception is InvalidDataException));
        Assert.DoesNotContain(server.Log.Entries, entry => entry.Exception is not null);
    }

    [Fact]
    public async Task A_response_that_has_begun_is_taken_back_or_aborted()
    {
        var log = new MemoryLogger();
        await using var buffered = new TestServer(Throwing((response, _) => response.WriteAsync("some"), new InvalidDataException(), log));
        Assert.Equal(500, buffered.Exchange(Get).StatusCode);
        await using var flushed = new TestServer(Throwing(async (response, _) =>
        {
            await response.WriteAsync("some");
            await response.FlushAsync();
        }, new InvalidDataException(), log));
        Assert.False(flushed.Exchange(Get).IsComplete);
        Assert.Equal(2, log.Entries.Count(entry => entry.Exception is InvalidDataException));
        Assert.DoesNotContain(flushed.Log.Entries, entry => entry.Exception is not null);
    }

    [Fact]
    public async Task What_the_server_knows_an_answer_for_passes()
    {
        var log = new MemoryLogger();
        await using var server = new TestServer(Throwing((_, _) => default, new BadRequestException(413, "too long"), log));
        Assert.Equal(413, server.Exchange(Get).StatusCode);
        Assert.Empty(log.Entries);
    }

    [Fact]
    public async Task The_answer_may_have_another_form()
    {
        IHandler handler = new HandlerFunc((_, _) => throw new InvalidDataException("x"))
            .WithRecovery(new MemoryLogger(), (response, _, e) => response.ErrorAsync(502, e.Message));
        await using var server = new TestServer(handler);
        Assert.Equal("x\n", server.Exchange(Get).Text);
    }
}
