namespace NetGo.Netpoll;

/// <summary>How a <see cref="NetListener"/> listens.</summary>
public sealed class ListenOptions
{
    /// <summary>How many connections the system keeps that have not been accepted. 4096 by default; the system may allow
    /// less (net.core.somaxconn).</summary>
    public int Backlog { get; set; } = 4096;

    /// <summary>Whether small writes are sent at once (TCP_NODELAY). True by default, as in Go.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>How many sockets listen on the address, each served by a processor of its own (SO_REUSEPORT). 0, the
    /// default: one per processor.</summary>
    public int Shards { get; set; }
}
