using Microsoft.AspNetCore.SignalR;

namespace SignalRChat;

/// <summary>Rooms, made by whoever joins first. A connection is in one room at most.</summary>
public sealed class RoomHub : Hub<IRoomClient>
{
    public const int MaxMessageBytes = 4096;

    private const int MaxName = 40;
    private const int MaxText = 1000;

    private static readonly object s_membership = new();

    /// <summary>All in the room are told, the one who joins included.</summary>
    /// <exception cref="HubException">The room or the name is not one, or the connection is in a room already.</exception>
    public async Task Join(string room, string name)
    {
        var membership = new Membership(Checked(room, "room", MaxName), Checked(name, "name", MaxName));
        if (!Context.Items.TryAdd(s_membership, membership))
            throw new HubException("You are in a room already.");
        await Groups.AddToGroupAsync(Context.ConnectionId, membership.Room, Context.ConnectionAborted);
        await Clients.Group(membership.Room).Joined(membership.Room, membership.Name);
    }

    /// <summary>All in the room hear it.</summary>
    /// <exception cref="HubException">The text is empty or too long, or the connection is in no room.</exception>
    public Task Say(string text)
    {
        if (!Context.Items.TryGetValue(s_membership, out object? item) || item is not Membership membership)
            throw new HubException("Join a room first.");
        return Clients.Group(membership.Room).Said(membership.Room, membership.Name, Checked(text, "text", MaxText));
    }

    public override Task OnDisconnectedAsync(Exception? exception) =>
        Context.Items.TryGetValue(s_membership, out object? item) && item is Membership membership
            ? Clients.Group(membership.Room).Left(membership.Room, membership.Name)
            : Task.CompletedTask;

    // What a HubException says reaches the client; of other exceptions it is not told.
    private static string Checked(string? value, string what, int maxLength)
    {
        string trimmed = value?.Trim() ?? "";
        return trimmed.Length > 0 && trimmed.Length <= maxLength ? trimmed : throw new HubException($"A {what} has 1 to {maxLength} characters.");
    }

    private sealed record Membership(string Room, string Name);
}
