// Runs every snippet of docs/http.md and compares what it prints. The document shows the regions between "// snippet: NAME" and
// "// end" of these files; tests/Scheduler.Tests/DocumentationTests.cs holds it to them.
using HttpGuide;
using NetGo;

TextWriter console = Console.Out;
int failures = 0;

await RunAsync("server", Serving.ServerAsync, "Hello, gopher!");
await RunAsync("tls", Serving.TlsAsync, "https");
await RunAsync("routing", Serving.RoutingAsync, "7", "a/b.txt", "405 GET, HEAD");
await RunAsync("query", Requests.QueryAsync, "2: a b");
await RunAsync("json", Requests.JsonAsync, """{"X":4,"Y":6}""", "415");
await RunAsync("forms", Requests.FormsAsync, "gopher", "notes.txt: 5 bytes");
await RunAsync("cookies", Requests.CookiesAsync, "session=1234; Path=/; HttpOnly; SameSite=Lax");
await RunAsync("streaming", Responses.StreamingAsync, "012");
await RunAsync("trailer", Responses.TrailerAsync, "text", "5");
await RunAsync("hijack", Responses.HijackAsync, "hello");
await RunAsync("files", Responses.FilesAsync, "234", "404");
await RunAsync("events", Pushing.EventsAsync, "tick 0", "tick 1");
await RunAsync("websocket", Pushing.WebSocketAsync, "hello");
await RunAsync("middleware", Serving.MiddlewareAsync, "429");
await RunAsync("proxy", Serving.ProxyAsync, "from the backend");
await RunAsync("hosting", Hosting.HostingAsync, "Hello from a host");
await RunAsync("test-server", Tests.ServerAsync, "Hello, gopher!");
await RunAsync("test-request", Tests.RequestAsync, "200 Hello, gopher!");
await RunAsync("test-echo", Tests.EchoAsync, "100000 bytes came back");
return failures == 0 ? 0 : 1;

async Task RunAsync(string name, Func<Task> snippet, params string[] expected)
{
    using var printed = new StringWriter();
    Console.SetOut(printed);
    string outcome = "ok";
    try
    {
        await Go.RunAsync(snippet).WaitAsync(TimeSpan.FromMinutes(1));
        string[] lines = printed.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        if (!lines.SequenceEqual(expected))
            outcome = $"FAILED: it printed {string.Join(" | ", lines)}, not {string.Join(" | ", expected)}";
    }
    catch (Exception e)
    {
        outcome = $"FAILED: {e}";
    }
    Console.SetOut(console);
    if (outcome != "ok")
        failures++;
    Console.WriteLine($"{name}: {outcome}");
}
