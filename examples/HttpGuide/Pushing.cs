using System.Globalization;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;
using NetGo.Http;
using NetGo.Http.Testing;

namespace HttpGuide;

internal static class Pushing
{
    public static async Task EventsAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: events
            await using EventStreamWriter events = await w.StartServerSentEventsAsync(r);
            for (int i = 0; i < 2; i++)
                await events.SendAsync($"tick {i}", id: i.ToString(CultureInfo.InvariantCulture), cancellationToken: r.Aborted);
            // end
        });
        using HttpClient client = server.CreateClient();
        await foreach (SseItem<string> item in SseParser.Create(await client.GetStreamAsync("/")).EnumerateAsync())
            Console.WriteLine(item.Data);
    }

    public static async Task WebSocketAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: websocket
            using WebSocket? socket = await w.AcceptWebSocketAsync(r);          // null: it was refused, and has been answered
            if (socket is null)
                return;
            byte[] buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer.AsMemory(), default) is { MessageType: not WebSocketMessageType.Close } piece)
                await socket.SendAsync(buffer.AsMemory(0, piece.Count), piece.MessageType, piece.EndOfMessage, default);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
            // end
        });
        using var invoker = new HttpMessageInvoker(server.CreateHandler());
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri("ws://localhost/"), invoker, default);
        await client.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default);
        byte[] received = new byte[100];
        ValueWebSocketReceiveResult answer = await client.ReceiveAsync(received.AsMemory(), default);
        Console.WriteLine(Encoding.UTF8.GetString(received, 0, answer.Count));
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }
}
