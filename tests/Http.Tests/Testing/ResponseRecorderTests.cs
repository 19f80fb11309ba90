using System.Net;
using NetGo.Http.Testing;

namespace NetGo.Http.Tests.Testing;

/// <summary>The recorder, with which a handler is tested without a server.</summary>
public class ResponseRecorderTests
{
    private static async Task<ResponseRecorder> ServeAsync(
        Func<ResponseWriter, Request, ValueTask> handler, string method = "GET", string target = "/")
    {
        Request request = TestRequest.Create(method, target);
        var recorder = new ResponseRecorder(request);
        await new HandlerFunc(handler).ServeHttpAsync(recorder, request);
        return recorder;
    }

    [Fact]
    public async Task It_keeps_status_fields_content_and_trailer()
    {
        ResponseRecorder recorder = await ServeAsync(async (response, _) =>
        {
            response.Header.Set("Content-Type", "text/plain");
            response.Header.Add("X", "1");
            response.Header.Add("X", "2");
            await response.WriteInformationalAsync(103);
            response.WriteHeader(201);
            response.WriteHeader(500);
            response.Header.Set("Late", "not sent");
            await response.WriteAsync("Hello, ");
            "Wörld!"u8.CopyTo(response.GetSpan(7));
            response.Advance(7);
            response.Trailer.Set("Sum", "12");
            await response.FlushAsync();
        });
        Assert.Equal(201, recorder.StatusCode);
        Assert.True(recorder.HeaderWritten);
        Assert.True(recorder.Flushed);
        Assert.Equal([103], recorder.InformationalStatusCodes);
        Assert.Equal("Hello, Wörld!", recorder.BodyText);
        Assert.Equal(14, recorder.Body.Length);
        using HttpResponseMessage result = recorder.Result();
        Assert.Equal(HttpStatusCode.Created, result.StatusCode);
        Assert.Equal(["1", "2"], result.Headers.GetValues("X"));
        Assert.Equal("text/plain", result.Content.Headers.ContentType?.ToString());
        Assert.False(result.Headers.Contains("Late"));
        Assert.Equal(["12"], result.TrailingHeaders.GetValues("Sum"));
        Assert.Equal("Hello, Wörld!", await result.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_handler_that_writes_nothing_answers_200()
    {
        ResponseRecorder recorder = await ServeAsync(static (_, _) => default);
        Assert.False(recorder.HeaderWritten);
        Assert.False(recorder.Flushed);
        Assert.Equal(200, recorder.StatusCode);
        using HttpResponseMessage result = recorder.Result();
        Assert.Equal(HttpStatusCode.OK, result.StatusCode);
        Assert.Empty(await result.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Head_has_no_content()
    {
        ResponseRecorder recorder = await ServeAsync(Handlers.Ok, "HEAD");
        Assert.Equal(200, recorder.StatusCode);
        Assert.Equal("", recorder.BodyText);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    public async Task Content_where_there_must_be_none_is_refused(int status)
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => ServeAsync((response, _) =>
        {
            response.WriteHeader(status);
            return response.WriteAsync("content");
        }));
        await ServeAsync((response, _) =>
        {
            response.WriteHeader(status);
            return response.WriteAsync("");
        });
    }

    [Fact]
    public async Task Content_must_be_as_long_as_declared()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => ServeAsync(static (response, _) =>
        {
            response.Header.Set("Content-Length", "3");
            return response.WriteAsync("four");
        }));
        await Assert.ThrowsAsync<InvalidOperationException>(() => ServeAsync(static (response, _) =>
        {
            response.Header.Set("Content-Length", "many");
            return response.WriteAsync("four");
        }));
        ResponseRecorder recorder = await ServeAsync(static (response, _) =>
        {
            response.Header.Set("Content-Length", "5");
            return response.WriteAsync("four");
        });
        Assert.Throws<InvalidOperationException>(recorder.Result);
        await recorder.WriteAsync("!");
        using HttpResponseMessage result = recorder.Result();
        Assert.Equal(5, result.Content.Headers.ContentLength);
        Assert.Throws<InvalidOperationException>(() => recorder.GetSpan());
    }

    [Fact]
    public async Task What_the_server_refuses_is_refused()
    {
        var recorder = new ResponseRecorder();
        Assert.Throws<ArgumentOutOfRangeException>(() => recorder.WriteHeader(199));
        Assert.Throws<ArgumentOutOfRangeException>(() => recorder.WriteHeader(1000));
        Assert.Throws<ArgumentException>(() => recorder.Header.Set("X", "a\r\nSet-Cookie: b"));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await recorder.HijackAsync());
        recorder.WriteHeader(200);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await recorder.WriteInformationalAsync(103));
    }

    [Fact]
    public async Task Middleware_and_a_mux_work_with_it()
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /hello/{name}", (response, request) => response.WriteAsync(request.PathValue("name")));
        var log = new MemoryLogger();
        IHandler handler = mux.WithAccessLog(log);
        foreach ((string target, int status) in new[] { ("/hello/gopher", 200), ("/nothing", 404) })
        {
            Request request = TestRequest.Create("GET", target);
            var recorder = new ResponseRecorder(request);
            await handler.ServeHttpAsync(recorder, request);
            Assert.Equal(status, recorder.StatusCode);
        }
        Assert.Contains(log.Entries, static e => e.Message.Contains("192.0.2.1", StringComparison.Ordinal));
        Request wrongMethod = TestRequest.Create("DELETE", "/hello/gopher");
        var refused = new ResponseRecorder(wrongMethod);
        await handler.ServeHttpAsync(refused, wrongMethod);
        Assert.Equal(405, refused.StatusCode);
        Assert.Equal("GET, HEAD", refused.Header["Allow"]);
    }
}
