using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Netpoll;

/// <summary>How a scheduler's sockets are polled; for <see cref="NetpollSchedulerExtensions.UseNetpoll"/>.</summary>
public sealed class NetpollOptions
{
    /// <summary>The poller. The default is what the environment variable <c>NETGO_POLLER</c> says (<c>epoll</c>, <c>kqueue</c>
    /// or <c>iocp</c>), else the system's own.</summary>
    public PollerKind Poller { get; set; }

    /// <summary>Where it is logged which poller is used. Nowhere by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;
}
