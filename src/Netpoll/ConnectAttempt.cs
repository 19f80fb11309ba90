using System.Net;

namespace NetGo.Netpoll;

/// <summary>Connects to one address.</summary>
/// <param name="endPoint">The address.</param>
/// <param name="deadline">By the scheduler's clock.</param>
/// <param name="cancellationToken">Ends it.</param>
/// <exception cref="System.Net.Sockets.SocketException">It failed.</exception>
/// <exception cref="TimeoutException">The deadline has passed.</exception>
/// <exception cref="OperationCanceledException">The token was cancelled.</exception>
internal delegate ValueTask<NetConnection> ConnectAttempt(
    IPEndPoint endPoint, long deadline, CancellationToken cancellationToken);
