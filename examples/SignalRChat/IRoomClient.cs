namespace SignalRChat;

/// <summary>What a client is told.</summary>
public interface IRoomClient
{
    Task Joined(string room, string name);

    Task Left(string room, string name);

    Task Said(string room, string name, string text);
}
