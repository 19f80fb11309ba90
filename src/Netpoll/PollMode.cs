namespace NetGo.Netpoll;

/// <summary>A direction of a descriptor.</summary>
internal enum PollMode
{
    Read = 0,
    Write = 1,
}
