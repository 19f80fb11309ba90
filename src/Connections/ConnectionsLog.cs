using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections;

internal static partial class ConnectionsLog
{
    [LoggerMessage(1, LogLevel.Debug, "Connection {ConnectionId}: the peer has ended its stream (FIN)")]
    public static partial void ReadFin(ILogger logger, string connectionId);

    [LoggerMessage(2, LogLevel.Debug, "Connection {ConnectionId}: our stream has ended (FIN)")]
    public static partial void WriteFin(ILogger logger, string connectionId);

    [LoggerMessage(3, LogLevel.Debug, "Connection {ConnectionId}: the peer has reset it (RST)")]
    public static partial void Reset(ILogger logger, string connectionId);

    [LoggerMessage(4, LogLevel.Debug, "Connection {ConnectionId}: broken off: {Reason}")]
    public static partial void Aborted(ILogger logger, string connectionId, string reason);

    [LoggerMessage(5, LogLevel.Debug, "Connection {ConnectionId}: failed")]
    public static partial void Failed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(6, LogLevel.Error, "Connection {ConnectionId}: a callback of ConnectionClosed has thrown")]
    public static partial void CallbackFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(7, LogLevel.Information, "Connections run on netpoll, by {Poller}")]
    public static partial void NetpollUsed(ILogger logger, PollerKind poller);

    [LoggerMessage(8, LogLevel.Information, "Connections run on the fallback, over System.Net.Sockets, as the options say")]
    public static partial void FallbackChosen(ILogger logger);

    [LoggerMessage(9, LogLevel.Information, "Connections run on the fallback, over System.Net.Sockets, because no poller works here: {Reason}")]
    public static partial void FallbackNeeded(ILogger logger, string reason);
}
