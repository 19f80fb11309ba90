using Microsoft.Extensions.Logging;

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
}
