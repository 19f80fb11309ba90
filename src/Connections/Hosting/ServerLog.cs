using System.Net;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections;

internal static partial class ServerLog
{
    private static readonly Func<ILogger, string, IDisposable?> s_connectionScope =
        LoggerMessage.DefineScope<string>("ConnectionId:{ConnectionId}");

    /// <summary>What is logged in it says of which connection.</summary>
    public static IDisposable? ConnectionScope(ILogger logger, string connectionId) => s_connectionScope(logger, connectionId);

    [LoggerMessage(1, LogLevel.Information, "Listening on {EndPoint}")]
    public static partial void Listening(ILogger logger, EndPoint endPoint);

    [LoggerMessage(2, LogLevel.Error, "Accepting on {EndPoint} has failed; it is tried again in {Delay} ms")]
    public static partial void AcceptFailed(ILogger logger, EndPoint endPoint, double delay, Exception exception);

    [LoggerMessage(3, LogLevel.Error, "Connection {ConnectionId}: its handler has thrown, which ends it")]
    public static partial void HandlerFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(4, LogLevel.Error, "Connection {ConnectionId}: a callback has thrown")]
    public static partial void CallbackFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(5, LogLevel.Error, "Connection {ConnectionId}: disposing of it has failed")]
    public static partial void DisposeFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(6, LogLevel.Warning, "Connection {ConnectionId} is refused: there may be {Limit} at once, or the server stops")]
    public static partial void Refused(ILogger logger, string connectionId, int limit);

    [LoggerMessage(7, LogLevel.Warning, "The time to stop in is over: {Count} connections are aborted")]
    public static partial void Aborting(ILogger logger, int count);

    [LoggerMessage(8, LogLevel.Error, "{Count} connections have not ended though they were aborted: their handlers go on")]
    public static partial void NotEnded(ILogger logger, int count);

    [LoggerMessage(9, LogLevel.Error, "Listening on {EndPoint} could not be ended")]
    public static partial void UnbindFailed(ILogger logger, EndPoint endPoint, Exception exception);
}
