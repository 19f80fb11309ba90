using Microsoft.Extensions.Logging;

namespace NetGo.Http;

/// <summary>What middleware logs, in one place. Text that a client sent is escaped before (<see cref="LogText"/>).</summary>
internal static partial class MiddlewareLog
{
    [LoggerMessage(101, LogLevel.Error, "The handler of {Method} {Target} threw.")]
    public static partial void HandlerFailed(ILogger logger, string method, string target, Exception exception);

    [LoggerMessage(102, LogLevel.Debug, "The handler of {Method} {Target} was cancelled: nobody waits for the answer.")]
    public static partial void HandlerCancelled(ILogger logger, string method, string target, Exception exception);

    [LoggerMessage(
        EventId = 103,
        Message = "{RemoteAddress} \"{Method} {Target} {Protocol}\" {Host} {Status} {Bytes} bytes " +
            "{ElapsedMilliseconds} ms \"{Referer}\" \"{UserAgent}\" {RequestId}")]
    public static partial void Served(
        ILogger logger, LogLevel level, string remoteAddress, string method, string target, string protocol, string host, int status, long bytes,
        double elapsedMilliseconds, string referer, string userAgent, string requestId);

    [LoggerMessage(EventId = 104, Message = "{Line}")]
    public static partial void ServedLine(ILogger logger, LogLevel level, string line);

    [LoggerMessage(105, LogLevel.Warning, "The {Kind} check {Name} failed.")]
    public static partial void CheckFailed(ILogger logger, string kind, string name, Exception? exception);
}
