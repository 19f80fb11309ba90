using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using NetGo;
using NetGo.Http;

namespace Chat;

/// <summary>What answers the requests.</summary>
internal sealed class ChatHandlers(Room room, CancellationToken stopping)
{
    private const int MaxMessageBytes = 1000;

    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(2);

    private readonly WaitGroup _talks = new();

    /// <summary>Completes when all WebSockets are closed.</summary>
    public Task TalksEnded => _talks.WaitAsync().AsTask();

    public static ValueTask PageAsync(ResponseWriter response, Request request)
    {
        response.Header.Set("Content-Type", "text/html; charset=utf-8");
        response.Header.Set("Content-Security-Policy", Page.SecurityPolicy);
        return response.WriteAsync(Page.Html);
    }

    public async ValueTask ListenAsync(ResponseWriter response, Request request)
    {
        _ = long.TryParse(request.LastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out long after);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, stopping);
        Listener listener = room.Enter(after);
        try
        {
            await using EventStreamWriter events = await response.StartServerSentEventsAsync(request);
            await foreach (Message message in listener.Messages.ReadAllAsync(end.Token))
                await events.SendAsync(message.Text, id: message.Id.ToString(CultureInfo.InvariantCulture));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client has gone, or the server stops.
        }
        finally
        {
            room.Leave(listener);
        }
    }

    /// <summary>A page of another origin is refused with 403: that is what <see cref="WebSocketAcceptOptions"/> does by default.</summary>
    public async ValueTask TalkAsync(ResponseWriter response, Request request)
    {
        using WebSocket? socket = await response.AcceptWebSocketAsync(request);
        if (socket is null)
            return;
        _talks.Add(1);
        try
        {
            await TalkAsync(socket);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException)
        {
            // The client has gone without a word, or does not answer to the end.
        }
        finally
        {
            _talks.Done();
        }
    }

    private async Task TalkAsync(WebSocket socket)
    {
        byte[] buffer = new byte[MaxMessageBytes];
        while (true)
        {
            (WebSocketCloseStatus? end, int length) = await ReceiveAsync(socket, buffer);
            if (end is { } status)
            {
                using var timeout = new CancellationTokenSource(s_closeTimeout);
                await socket.CloseAsync(status, null, timeout.Token);
                return;
            }
            string text = Encoding.UTF8.GetString(buffer, 0, length).Trim();
            if (text.Length > 0)
                room.Say(text);
        }
    }

    // A message of several pieces fills the buffer piece by piece, and no more than that.
    private async Task<(WebSocketCloseStatus? End, int Length)> ReceiveAsync(WebSocket socket, byte[] buffer)
    {
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult piece;
            try
            {
                piece = await socket.ReceiveAsync(buffer.AsMemory(length), stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return (WebSocketCloseStatus.EndpointUnavailable, 0);
            }
            length += piece.Count;
            if (piece.MessageType == WebSocketMessageType.Close)
                return (WebSocketCloseStatus.NormalClosure, 0);
            if (piece.MessageType == WebSocketMessageType.Binary)
                return (WebSocketCloseStatus.InvalidMessageType, 0);
            if (piece.EndOfMessage)
                return (null, length);
            if (length == buffer.Length)
                return (WebSocketCloseStatus.MessageTooBig, 0);
        }
    }
}
