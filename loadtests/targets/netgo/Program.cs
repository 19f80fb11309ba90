// The load target of NetGo.Http. See ../../README.md for the contract.
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using NetGo;
using NetGo.Http;

CommandLine commandLine;
try
{
    commandLine = CommandLine.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"netgo: {e.Message}");
    Console.Error.WriteLine(CommandLine.Usage);
    return 2;
}
using IDisposable? watching = commandLine.Watch is { } kind ? Watching.Begin(kind) : null;

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
    byte[] buffer = ArrayPool<byte>.Shared.Rent(64 * 1024); // in smaller pieces it is more system calls
    int n;
    while ((n = await r.Body.ReadAsync(buffer)) > 0)
        await w.WriteAsync(buffer.AsMemory(0, n));
    ArrayPool<byte>.Shared.Return(buffer);
});
// What a soak looks at.
mux.HandleFunc("GET /goroutines", (w, r) => w.WriteAsync(GoScheduler.Default.GoroutineCount.ToString(CultureInfo.InvariantCulture)));
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

mux.HandleFunc("GET /ws", Echo.AnswerAsync);

var server = new Server { Address = $"127.0.0.1:{commandLine.Port}", Handler = mux, ServerName = "netgo" };
await (commandLine.Tls ? server.ListenAndServeTlsAsync(new TlsOptions { Certificate = SelfSigned.Create() }) : server.ListenAndServeAsync());
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
