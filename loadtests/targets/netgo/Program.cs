// The load target of NetGo.Http: netgo PORT [--watch metrics|opentelemetry|activities|events|trace]. See ../../README.md for the contract.
using System.Text;
using System.Text.Json.Serialization;
using NetGo;
using NetGo.Http;

if (args.Length is not (1 or 3) || !ushort.TryParse(args[0], out ushort port) || (args.Length == 3 && (args[1] != "--watch" || !Watching.IsKind(args[2]))))
{
    Console.Error.WriteLine($"usage: {Watching.Usage}");
    return 2;
}
using IDisposable? watching = args.Length == 3 ? Watching.Begin(args[2]) : null;

byte[] hello = Encoding.ASCII.GetBytes("Hello, World!");

var mux = new ServeMux();
mux.HandleFunc("GET /plaintext", (w, r) =>
{
    w.Header.Add("Content-Type", "text/plain");
    return w.WriteAsync(hello);
});
mux.HandleFunc("GET /json", (w, r) =>
{
    w.WriteJson(new Message("Hello, World!"), MessageContext.Default.Message);
    return default;
});
mux.HandleFunc("GET /users/{id}", (w, r) =>
{
    w.Header.Add("Content-Type", "text/plain");
    return w.WriteAsync(r.PathValue("id"));
});
mux.HandleFunc("POST /echo", async (w, r) =>
{
    w.Header.Add("Content-Type", r.Header["Content-Type"] ?? "application/octet-stream");
    if (r.ContentLength >= 0)
        w.Header.Add("Content-Length", r.Header["Content-Length"] ?? "0");
    byte[] buffer = new byte[16 * 1024];
    int n;
    while ((n = await r.Body.ReadAsync(buffer)) > 0)
        await w.WriteAsync(buffer.AsMemory(0, n));
});
mux.HandleFunc("GET /sleep", async (w, r) =>
{
    await Go.SleepAsync(TimeSpan.FromMilliseconds(Milliseconds(r)));
    await w.WriteAsync("slept\n");
});
mux.HandleFunc("GET /block", (w, r) =>
{
    Thread.Sleep(Milliseconds(r));
    return w.WriteAsync("blocked\n");
});

await new Server { Address = $"127.0.0.1:{port}", Handler = mux, ServerName = "netgo" }.ListenAndServeAsync();
return 0;

static int Milliseconds(Request request) =>
    request.Query.StartsWith("ms=", StringComparison.Ordinal) && int.TryParse(request.Query.AsSpan(3), out int ms) && ms >= 0 ? ms : 0;

internal readonly record struct Message(string Text)
{
    [JsonPropertyName("message")]
    public string Text { get; } = Text;
}

[JsonSerializable(typeof(Message))]
internal sealed partial class MessageContext : JsonSerializerContext;
