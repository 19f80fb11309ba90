namespace NetGo;

/// <summary>What became of an attempt to send.</summary>
internal enum SendOutcome
{
    WouldWait,
    Sent,
    Closed,
}
