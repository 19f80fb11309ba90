using System.Net.WebSockets;
using NetGo.Http;

/// <summary>A WebSocket that gives each message back, piece by piece as it comes.</summary>
internal static class Echo
{
    public static async ValueTask AnswerAsync(ResponseWriter response, Request request)
    {
        using WebSocket? socket = await response.AcceptWebSocketAsync(request);
        if (socket is null)
            return;
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(), default) is { MessageType: not WebSocketMessageType.Close } piece)
                await socket.SendAsync(buffer.AsMemory(0, piece.Count), piece.MessageType, piece.EndOfMessage, default);
            await socket.CloseOutputAsync(socket.CloseStatus ?? WebSocketCloseStatus.Empty, null, default);
        }
        catch (WebSocketException)
        {
            // The client has gone without a word.
        }
    }
}
