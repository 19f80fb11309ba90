namespace NetGo.Connections;

/// <summary>Whose it is to send what is in a <see cref="SendQueue"/>.</summary>
internal enum SendTurn : byte
{
    Nobody,
    Deferred,
    Flush,
    Drain,
}
