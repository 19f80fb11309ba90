using System.Net;
using Microsoft.Extensions.Logging;

namespace NetGo.Netpoll;

internal static partial class NetpollLog
{
    [LoggerMessage(1, LogLevel.Information, "Polling sockets with {Poller}")]
    public static partial void Polling(ILogger logger, PollerKind poller);

    [LoggerMessage(2, LogLevel.Error, "Connections on {EndPoint} wait to be accepted until there are descriptors and memory again: {Error}")]
    public static partial void AcceptExhausted(ILogger logger, EndPoint endPoint, string error);

    [LoggerMessage(3, LogLevel.Information, "Connections on {EndPoint} are accepted again")]
    public static partial void AcceptRecovered(ILogger logger, EndPoint endPoint);
}
