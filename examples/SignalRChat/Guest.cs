using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace SignalRChat;

/// <summary>A client, and what it was told.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private readonly HubConnection _connection;
    private readonly Channel<string> _told = Channel.CreateUnbounded<string>();

    private Guest(HubConnection connection)
    {
        _connection = connection;
        connection.On<string, string>(nameof(IRoomClient.Joined), (room, name) => _told.Writer.TryWrite($"{name} joined {room}"));
        connection.On<string, string>(nameof(IRoomClient.Left), (room, name) => _told.Writer.TryWrite($"{name} left {room}"));
        connection.On<string, string, string>(nameof(IRoomClient.Said), (room, name, text) => _told.Writer.TryWrite($"{name} in {room}: {text}"));
    }

    public static async Task<Guest> ConnectAsync(Uri server, HttpTransportType transport, CancellationToken cancellationToken)
    {
        var guest = new Guest(new HubConnectionBuilder().WithUrl(new Uri(server, "/rooms"), transport).Build());
        await guest._connection.StartAsync(cancellationToken);
        return guest;
    }

    public Task JoinAsync(string room, string name, CancellationToken cancellationToken) =>
        _connection.InvokeAsync(nameof(RoomHub.Join), room, name, cancellationToken);

    public Task SayAsync(string text, CancellationToken cancellationToken) =>
        _connection.InvokeAsync(nameof(RoomHub.Say), text, cancellationToken);

    public ValueTask<string> HearAsync(CancellationToken cancellationToken) => _told.Reader.ReadAsync(cancellationToken);

    public async Task ExpectAsync(string expected, CancellationToken cancellationToken)
    {
        string told = await HearAsync(cancellationToken);
        if (told != expected)
            throw new InvalidDataException($"Expected: {expected}; told: {told}.");
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
