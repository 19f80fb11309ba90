namespace NetGo.Http.Tests;

/// <summary>Informational responses: RFC 9110, section 15.2, and RFC 8297 (Early Hints).</summary>
public class InformationalTests
{
    private const string Get = " / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static async ValueTask Hints(ResponseWriter response, Request request)
    {
        response.Header.Set("Link", "</style.css>; rel=preload");
        response.Header.Set("Content-Length", "5");
        await response.WriteInformationalAsync(103);
        response.Header.Remove("Link");
        await response.WriteInformationalAsync(102);
        await response.WriteAsync("hello");
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task They_go_before_the_final_one_with_the_fields_that_are_set(string method)
    {
        await using var server = new TestServer(Hints);
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            client.Send(method + Get);
            RawResponse hints = client.ReadAnyResponse(method);
            Assert.Equal(103, hints.StatusCode);
            Assert.Equal([new("Link", "</style.css>; rel=preload")], hints.Fields);
            RawResponse processing = client.ReadAnyResponse(method);
            Assert.Equal(102, processing.StatusCode);
            Assert.Empty(processing.Fields);
            RawResponse response = client.ReadAnyResponse(method);
            Assert.Equal(200, response.StatusCode);
            Assert.Equal("5", response.Get("Content-Length"));
            Assert.Equal(method == "HEAD" ? "" : "hello", response.Text);
        }
    }

    [Fact]
    public async Task A_client_of_http_10_gets_none()
    {
        await using var server = new TestServer(Hints);
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.0\r\n\r\n");
        Assert.Equal(200, client.ReadAnyResponse().StatusCode);
    }

    [Fact]
    public async Task They_are_there_before_the_handler_has_ended()
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, _) =>
        {
            await response.WriteInformationalAsync(103);
            await seen.Task;
        });
        using RawClient client = server.Connect();
        client.Send("GET" + Get);
        Assert.Equal(103, client.ReadAnyResponse().StatusCode);
        seen.SetResult();
        Assert.Equal(200, client.ReadAnyResponse().StatusCode);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(200)]
    public async Task Others_are_no_informational_ones(int status)
    {
        await using var server = new TestServer(
            async (response, _) => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await response.WriteInformationalAsync(status)));
        Assert.Equal(200, server.Exchange("GET" + Get).StatusCode);
    }

    [Fact]
    public async Task After_the_head_of_the_final_one_it_is_too_late()
    {
        await using var server = new TestServer(async (response, _) =>
        {
            response.WriteHeader(200);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await response.WriteInformationalAsync(103));
        });
        Assert.Equal(200, server.Exchange("GET" + Get).StatusCode);
    }

    [Fact]
    public async Task An_error_after_one_is_still_an_answer()
    {
        await using var server = new TestServer(async (response, _) =>
        {
            await response.WriteInformationalAsync(103);
            throw new InvalidOperationException("The handler fails.");
        });
        Assert.Equal(500, server.Exchange("GET" + Get).StatusCode);
    }
}
