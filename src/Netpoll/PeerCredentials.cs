namespace NetGo.Netpoll;

/// <summary>Who is at the other end of a Unix socket, as the system knows it; from <see cref="NetConnection.GetPeerCredentials"/>.
/// </summary>
/// <param name="ProcessId">The process; 0 where the system does not say (FreeBSD).</param>
/// <param name="UserId">Its effective user.</param>
/// <param name="GroupId">Its effective group.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId, uint GroupId);
