using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;

namespace Chat;

/// <summary>Uses a running server as a browser would, and says whether it does what it should.</summary>
internal static class TryClient
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    public static async Task<int> RunAsync(Uri server)
    {
        using var timeout = new CancellationTokenSource(s_limit);
        try
        {
            await ListensToWhatIsSaidAsync(server, timeout.Token);
            await RefusesAsync(server, "http://elsewhere.example", timeout.Token);
            await ClosesAsync(server, new byte[5000], WebSocketMessageType.Text, WebSocketCloseStatus.MessageTooBig, timeout.Token);
            await ClosesAsync(server, [1], WebSocketMessageType.Binary, WebSocketCloseStatus.InvalidMessageType, timeout.Token);
            Console.WriteLine("ok");
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"FAILED: {e}");
            return 1;
        }
    }

    private static async Task ListensToWhatIsSaidAsync(Uri server, CancellationToken cancellationToken)
    {
        string text = $"What is said is heard, {Guid.NewGuid()}.";
        using var client = new HttpClient();
        using Stream stream = await client.GetStreamAsync(new Uri(server, "/events"), cancellationToken);
        using (WebSocket socket = await ConnectAsync(server, null, cancellationToken))
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, cancellationToken);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
        }
        await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (item.Data == text)
                return;
        }
        throw new InvalidDataException("The events ended before what was said came.");
    }

    private static async Task RefusesAsync(Uri server, string origin, CancellationToken cancellationToken)
    {
        try
        {
            using WebSocket socket = await ConnectAsync(server, origin, cancellationToken);
        }
        catch (WebSocketException e) when (e.Message.Contains("403", StringComparison.Ordinal))
        {
            return;
        }
        throw new InvalidDataException($"A page of {origin} was not refused.");
    }

    private static async Task ClosesAsync(
        Uri server, byte[] message, WebSocketMessageType type, WebSocketCloseStatus expected, CancellationToken cancellationToken)
    {
        using WebSocket socket = await ConnectAsync(server, null, cancellationToken);
        await socket.SendAsync(message, type, true, cancellationToken);
        ValueWebSocketReceiveResult answer = await socket.ReceiveAsync(new byte[100].AsMemory(), cancellationToken);
        if (answer.MessageType != WebSocketMessageType.Close || socket.CloseStatus != expected)
            throw new InvalidDataException($"The socket was to be closed with {expected}, not {socket.CloseStatus}.");
    }

    private static async Task<WebSocket> ConnectAsync(Uri server, string? origin, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        if (origin is not null)
            socket.Options.SetRequestHeader("Origin", origin);
        await socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = "/talk" }.Uri, cancellationToken);
        return socket;
    }
}
