using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using NetGo;
using NetGo.Http;

namespace ClientsServer;

/// <summary>The routes that clients ask for.</summary>
internal static class Routes
{
    private const int BufferSize = 64 * 1024;

    private static readonly byte[] s_hello = "Hello, World!"u8.ToArray();
    private static readonly TaskCompletionSource s_released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private static readonly string s_text = string.Concat(Enumerable.Repeat("All work and no play makes a dull text. ", 200));

    public static IHandler Of(string folder)
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /{$}", PageAsync);
        mux.HandleFunc("GET /plaintext", PlainTextAsync);
        mux.HandleFunc("GET /json", JsonAsync);
        mux.HandleFunc("POST /echo", EchoAsync);
        mux.HandleFunc("POST /upload", UploadAsync);
        mux.HandleFunc("PUT /discard", DiscardAsync);
        mux.HandleFunc("POST /refuse", (w, r) => w.ErrorAsync(403, "unread"));
        mux.HandleFunc("GET /bytes", BytesAsync);
        mux.HandleFunc("GET /events", EventsAsync);
        mux.HandleFunc("GET /ws", WebSocketAsync);
        mux.HandleFunc("POST /trailers", TrailersAsync);
        mux.HandleFunc("GET /redirect", (w, r) => w.RedirectAsync(r, "/json", 302));
        mux.HandleFunc("POST /redirect", (w, r) => w.RedirectAsync(r, "/echo", 307));
        mux.Handle("GET /text", new HandlerFunc(TextAsync).WithCompression());
        mux.HandleFunc("GET /cookies", CookiesAsync);
        mux.HandleFunc("GET /sleep", SleepAsync);
        mux.HandleFunc("GET /hold", HoldAsync);
        mux.HandleFunc("POST /release", ReleaseAsync);
        mux.HandleFunc("GET /peer", (w, r) => w.WriteAsync($"{r.RemoteEndPoint}"));
        mux.Handle("GET /files/", Handlers.StripPrefix("/files", Handlers.FileServer(folder)));
        return mux;
    }

    private static ValueTask PageAsync(ResponseWriter response, Request request)
    {
        response.Header.Set("Content-Type", "text/html; charset=utf-8");
        return response.WriteAsync(Page.Html);
    }

    private static ValueTask PlainTextAsync(ResponseWriter response, Request request)
    {
        response.Header.Add("Content-Type", "text/plain");
        return response.WriteAsync(s_hello);
    }

    private static ValueTask JsonAsync(ResponseWriter response, Request request)
    {
        response.WriteJson(new Message("Hello, World!"), MessageContext.Default.Message);
        return default;
    }

    private static async ValueTask EchoAsync(ResponseWriter response, Request request)
    {
        response.Header.Set("Content-Type", request.Header["Content-Type"] ?? "application/octet-stream");
        if (request.ContentLength >= 0)
            response.Header.Set("Content-Length", request.ContentLength.ToString(CultureInfo.InvariantCulture));
        byte[] buffer = new byte[BufferSize];
        int n;
        while ((n = await request.Body.ReadAsync(buffer)) > 0)
            await response.WriteAsync(buffer.AsMemory(0, n));
    }

    // How many octets came, their SHA-256, and whether they came with a length.
    private static async ValueTask UploadAsync(ResponseWriter response, Request request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = await ReadAsync(request, buffer => hash.AppendData(buffer.Span));
        string framing = request.ContentLength >= 0 ? "length" : "chunked";
        await response.WriteAsync($"{count} {Convert.ToHexStringLower(hash.GetHashAndReset())} {framing}\n");
    }

    private static async ValueTask DiscardAsync(ResponseWriter response, Request request) =>
        await response.WriteAsync($"{await ReadAsync(request, _ => { })}\n");

    private static async ValueTask<long> ReadAsync(Request request, Action<ReadOnlyMemory<byte>> take)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long count = 0;
            int n;
            while ((n = await request.Body.ReadAsync(buffer)) > 0)
            {
                take(buffer.AsMemory(0, n));
                count += n;
            }
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // /bytes?n=N: the octet at i is i modulo 251, which no power of two divides: a lost or repeated buffer shows.
    private static async ValueTask BytesAsync(ResponseWriter response, Request request)
    {
        long left = Number(request, "n");
        response.Header.Set("Content-Type", "application/octet-stream");
        response.Header.Set("Content-Length", left.ToString(CultureInfo.InvariantCulture));
        for (; left > 0; left -= Pattern.Size)
            await response.WriteAsync(Pattern.Octets.AsMemory(0, (int)Math.Min(left, Pattern.Size)));
    }

    private static async ValueTask EventsAsync(ResponseWriter response, Request request)
    {
        await using EventStreamWriter events = await response.StartServerSentEventsAsync(request);
        for (int i = 1; i <= 3; i++)
            await events.SendAsync($"event {i}", id: i.ToString(CultureInfo.InvariantCulture));
        await events.SendAsync("over", "end");
    }

    private static async ValueTask WebSocketAsync(ResponseWriter response, Request request)
    {
        using WebSocket? socket = await response.AcceptWebSocketAsync(request);
        if (socket is null)
            return;
        try
        {
            await EchoAsync(socket, request.Aborted);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The client has gone without a word.
        }
    }

    private static async Task EchoAsync(WebSocket socket, CancellationToken aborted)
    {
        byte[] buffer = new byte[BufferSize];
        while (true)
        {
            ValueWebSocketReceiveResult got = await socket.ReceiveAsync(buffer.AsMemory(), aborted);
            if (got.MessageType == WebSocketMessageType.Close)
                break;
            await socket.SendAsync(buffer.AsMemory(0, got.Count), got.MessageType, got.EndOfMessage, aborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", aborted);
    }

    // Answers with the trailer field that came, as a trailer field.
    private static async ValueTask TrailersAsync(ResponseWriter response, Request request)
    {
        response.Header.Set("Trailer", "X-Count, X-Echo");
        response.Trailer.Set("X-Count", (await ReadAsync(request, _ => { })).ToString(CultureInfo.InvariantCulture));
        response.Trailer.Set("X-Echo", request.Trailer["X-Note"] ?? "none");
        await response.WriteAsync("trailers follow\n");
    }

    private static ValueTask TextAsync(ResponseWriter response, Request request)
    {
        response.Header.Set("Content-Type", "text/plain; charset=utf-8");
        return response.WriteAsync(s_text);
    }

    private static ValueTask CookiesAsync(ResponseWriter response, Request request)
    {
        int seen = int.TryParse(request.Cookies["seen"], CultureInfo.InvariantCulture, out int before) ? before : 0;
        response.SetCookie(new ResponseCookie("seen", (seen + 1).ToString(CultureInfo.InvariantCulture)) { Path = "/", HttpOnly = true });
        return response.WriteAsync($"seen {seen}\n");
    }

    private static async ValueTask SleepAsync(ResponseWriter response, Request request)
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(Number(request, "ms")));
        await response.WriteAsync("slept\n");
    }

    // An image of the page waits here until its script is done: a browser that waits for the page to load waits for the script.
    private static async ValueTask HoldAsync(ResponseWriter response, Request request)
    {
        await s_released.Task.WaitAsync(TimeSpan.FromMinutes(1), request.Aborted);
        response.WriteHeader(204);
    }

    private static ValueTask ReleaseAsync(ResponseWriter response, Request request)
    {
        s_released.TrySetResult();
        response.WriteHeader(204);
        return default;
    }

    private static long Number(Request request, string name) =>
        long.TryParse(request.QueryValues[name], NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : 0;
}
