using System.Net;

namespace NetGo.Netpoll;

/// <summary>How a <see cref="UdpSocket"/> is opened.</summary>
public sealed class UdpOptions
{
    /// <summary>The address of this end, for <see cref="UdpSocket.Connect"/>. Null, the default: the system chooses.</summary>
    public IPEndPoint? LocalEndPoint { get; set; }

    /// <summary>How many bytes of received datagrams the system keeps until they are read (SO_RCVBUF); those for which there is
    /// no room are lost. The system may allow less (net.core.rmem_max), and counts its own overhead. 0, the default, for what the
    /// system takes.</summary>
    public int ReceiveBufferSize { get; set; }

    /// <summary>How many bytes of datagrams may be on their way out before a send waits (SO_SNDBUF). 0, the default, for what the
    /// system takes.</summary>
    public int SendBufferSize { get; set; }

    /// <summary>Whether datagrams may be sent to broadcast addresses (SO_BROADCAST). True by default, as in Go.</summary>
    public bool Broadcast { get; set; } = true;

    /// <summary>Whether other sockets that say so too may have the same address. On Linux and FreeBSD the system shares the
    /// datagrams out among them by sender (SO_REUSEPORT, SO_REUSEPORT_LB): a socket for each processor. On macOS and Windows one
    /// of them gets all. What is sent to a multicast group comes to each that has joined it, on every system. False by default.
    /// </summary>
    public bool ShareAddress { get; set; }

    /// <summary>Whether a socket on all IPv6 addresses (::) takes IPv4 too, and shows it as ::ffff:1.2.3.4. True by default, as
    /// in Go.</summary>
    public bool DualMode { get; set; } = true;
}
