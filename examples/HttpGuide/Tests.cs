using NetGo.Http;
using NetGo.Http.Testing;

namespace HttpGuide;

internal static class Tests
{
    private static readonly IHandler s_hello = new HandlerFunc((w, r) => w.WriteAsync("Hello, gopher!"));

    public static async Task ServerAsync()
    {
        IHandler handler = s_hello;
        // snippet: test-server
        await using TestServer server = TestServer.Start(handler);
        using HttpClient client = server.CreateClient();
        Console.WriteLine(await client.GetStringAsync("/"));
        // end
    }

    public static async Task RequestAsync()
    {
        IHandler handler = s_hello;
        // snippet: test-request
        Request request = TestRequest.Create("GET", "/hello/gopher");
        var recorder = new ResponseRecorder(request);
        await handler.ServeHttpAsync(recorder, request);
        Console.WriteLine($"{recorder.StatusCode} {recorder.BodyText}");
        // end
    }

    public static async Task EchoAsync()
    {
        // snippet: test-echo
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            byte[] buffer = new byte[16 * 1024];
            while (await r.Body.ReadAsync(buffer) is > 0 and int n)
                await w.WriteAsync(buffer.AsMemory(0, n));
        });
        using HttpClient client = server.CreateClient();
        using HttpResponseMessage answer = await client.PostAsync("/", new ByteArrayContent(new byte[100_000]));
        Console.WriteLine($"{(await answer.Content.ReadAsByteArrayAsync()).Length} bytes came back");
        // end
    }
}
