// Runs every snippet of docs/http.md and compares what it prints. The document shows the regions between "// snippet: NAME" and
// "// end" of these files; tests/Scheduler.Tests/DocumentationTests.cs holds it to them.
using HttpGuide;
using NetGo.Examples;

var snippets = new Snippets();

await snippets.RunAsync("server", Serving.ServerAsync, "Hello, gopher!");
await snippets.RunAsync("tls", Serving.TlsAsync, "https");
await snippets.RunAsync("routing", Serving.RoutingAsync, "7", "a/b.txt", "405 GET, HEAD");
await snippets.RunAsync("query", Requests.QueryAsync, "2: a b");
await snippets.RunAsync("json", Requests.JsonAsync, """{"X":4,"Y":6}""", "415");
await snippets.RunAsync("forms", Requests.FormsAsync, "gopher", "notes.txt: 5 bytes");
await snippets.RunAsync("cookies", Requests.CookiesAsync, "session=1234; Path=/; HttpOnly; SameSite=Lax");
await snippets.RunAsync("streaming", Responses.StreamingAsync, "012");
await snippets.RunAsync("trailer", Responses.TrailerAsync, "text", "5");
await snippets.RunAsync("hijack", Responses.HijackAsync, "hello");
await snippets.RunAsync("files", Responses.FilesAsync, "234", "404");
await snippets.RunAsync("events", Pushing.EventsAsync, "tick 0", "tick 1");
await snippets.RunAsync("websocket", Pushing.WebSocketAsync, "hello");
await snippets.RunAsync("middleware", Serving.MiddlewareAsync, "429");
await snippets.RunAsync("proxy", Serving.ProxyAsync, "from the backend");
await snippets.RunAsync("hosting", Hosting.HostingAsync, "Hello from a host");
await snippets.RunAsync("test-server", Tests.ServerAsync, "Hello, gopher!");
await snippets.RunAsync("test-request", Tests.RequestAsync, "200 Hello, gopher!");
await snippets.RunAsync("test-echo", Tests.EchoAsync, "100000 bytes came back");
return snippets.ExitCode;
