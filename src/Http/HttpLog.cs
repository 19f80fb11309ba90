using Microsoft.Extensions.Logging;

namespace NetGo.Http;

/// <summary>What the server logs, in one place.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(1, LogLevel.Error, "The handler of {Method} {Target} threw.")]
    public static partial void HandlerFailed(ILogger logger, string method, string target, Exception exception);

    [LoggerMessage(2, LogLevel.Critical, "A connection ended with an exception: this is an error of the server.")]
    public static partial void ConnectionFailed(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Debug, "A request was refused with {Status}: {Reason}")]
    public static partial void RequestRefused(ILogger logger, int status, string reason);

    [LoggerMessage(4, LogLevel.Error, "Accepting on {EndPoint} failed.")]
    public static partial void AcceptFailed(ILogger logger, System.Net.EndPoint endPoint, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "Serving on {EndPoint}, polled with {Poller}")]
    public static partial void Serving(ILogger logger, System.Net.EndPoint endPoint, NetGo.Netpoll.PollerKind poller);

    [LoggerMessage(6, LogLevel.Warning, "There is no memory for requests: they are answered with 503. This is said once in ten seconds.")]
    public static partial void OutOfBuffers(ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "{EndPoint} is refused: there are as many connections as there may be, in all or from its address. This is said once in ten seconds.")]
    public static partial void TooManyConnections(ILogger logger, System.Net.EndPoint endPoint);

    [LoggerMessage(8, LogLevel.Debug, "A TLS handshake failed.")]
    public static partial void HandshakeFailed(ILogger logger, Exception exception);

    [LoggerMessage(7, LogLevel.Error, "Server.ConnContext threw: the connection is closed.")]
    public static partial void ConnContextFailed(ILogger logger, Exception exception);
}
