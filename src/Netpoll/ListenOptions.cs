using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Netpoll;

/// <summary>How a <see cref="NetListener"/> listens.</summary>
public sealed class ListenOptions
{
    /// <summary>How many connections the system keeps that have not been accepted. 4096 by default; the system may allow
    /// less (net.core.somaxconn).</summary>
    public int Backlog { get; set; } = 4096;

    /// <summary>How many sockets listen on the address, each served by a processor of its own (SO_REUSEPORT). 0, the
    /// default: one per processor. Where the system cannot share connections out among sockets, and for Unix sockets, there is
    /// one in any case, whose connections go to all processors in turn.</summary>
    public int Shards { get; set; }

    /// <summary>Whether small writes are sent at once (TCP_NODELAY). True by default, as in Go.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>Where it is logged that connections cannot be accepted, once for each time that descriptors run out, and that they
    /// can again. Nowhere by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;
}
