using Microsoft.Extensions.Logging;

namespace NetGo.Http;

internal static partial class HostingLog
{
    [LoggerMessage(
        1, LogLevel.Warning, "The host's time for a graceful shutdown is over: {Count} connections are closed with requests under way.")]
    public static partial void ShutdownCutShort(ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Critical, "The server has stopped serving on {EndPoint}: the host is stopped.")]
    public static partial void ServingFailed(ILogger logger, System.Net.EndPoint endPoint, Exception exception);
}
