using Microsoft.Extensions.Logging;

namespace NetGo.Http;

/// <summary>What a proxy logs, in one place. Text that a client sent is escaped before (<see cref="LogText"/>).</summary>
internal static partial class ProxyLog
{
    [LoggerMessage(201, LogLevel.Warning, "{Method} {Target} could not be passed on: the client gets {Status}.")]
    public static partial void Failed(ILogger logger, string method, string target, int status, Exception exception);

    [LoggerMessage(202, LogLevel.Warning, "The response to {Method} {Target} broke off: so does the client's.")]
    public static partial void BrokeOff(ILogger logger, string method, string target, Exception exception);

    [LoggerMessage(203, LogLevel.Debug, "The client of {Method} {Target} has gone away.")]
    public static partial void ClientGone(ILogger logger, string method, string target, Exception exception);
}
