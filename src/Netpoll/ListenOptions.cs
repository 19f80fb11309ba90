using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Netpoll;

/// <summary>How a <see cref="NetListener"/> listens, and what the connections are like that it accepts.</summary>
public sealed class ListenOptions : NetConnectionOptions
{
    private const int MaxNameLength = 255;
    private const string NameRule = "ASCII without control characters and colons, at most 255 characters";

    private string _name = "unknown";
    private TimeSpan _deferAccept;
    private int _fastOpenQueueLength;

    /// <summary>How many connections the system keeps that have not been accepted. 4096 by default; the system may allow
    /// less (net.core.somaxconn).</summary>
    public int Backlog { get; set; } = 4096;

    /// <summary>How many sockets listen on the address, each served by a processor of its own (SO_REUSEPORT). 0, the
    /// default: one per processor. Where the system cannot share connections out among sockets, and for Unix sockets, there is
    /// one in any case, whose connections go to all processors in turn.</summary>
    public int Shards { get; set; }

    /// <summary>Whether who listens on [::] accepts IPv4 connections too (IPV6_V6ONLY off), whose peers have addresses like
    /// ::ffff:192.0.2.1 then. True by default. Any other IPv6 address is only itself.</summary>
    public bool DualMode { get; set; } = true;

    /// <summary>A connection is accepted when its first bytes have come: who accepts it need not wait for them. One that stays
    /// silent is accepted nevertheless after this time, or somewhat later, in whole seconds (TCP_DEFER_ACCEPT). For protocols in
    /// which the client speaks first. Zero, the default: as soon as it is open. Linux only.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or more than 32767 s.</exception>
    public TimeSpan DeferAccept
    {
        get => _deferAccept;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromSeconds(short.MaxValue));
            _deferAccept = value;
        }
    }

    /// <summary>The name under which another process gets the listener (LISTEN_FDNAMES, sd_listen_fds(3)), when it is handed over:
    /// ASCII without control characters and colons, at most 255 characters. "unknown" by default, which is what systemd calls
    /// sockets without a name.</summary>
    /// <exception cref="ArgumentException">It is no such name.</exception>
    public string Name
    {
        get => _name;
        set => _name = IsName(value) ? value : throw new ArgumentException($"\"{value}\" is no name for a listener: {NameRule}.", nameof(value));
    }

    /// <summary>Of a Unix socket with a file: the file's permissions, which say who may connect. It has them before the first
    /// connection. Null, the default: what the process's umask leaves of all.</summary>
    public UnixFileMode? UnixFileMode { get; set; }

    /// <summary>Of a Unix socket with a file: whether a close removes the file; see <see cref="NetListener.UnlinkOnClose"/>. True by
    /// default, as in Go.</summary>
    public bool UnlinkOnClose { get; set; } = true;

    /// <summary>Clients that have been here before may send their first bytes with the very packet that opens the connection
    /// (TCP_FASTOPEN, RFC 7413): how many such connections may be half open at a time. Those bytes may come twice, so this is for
    /// requests that may be repeated. 0, the default: none. Linux, where also net.ipv4.tcp_fastopen must have bit 2 set; on macOS
    /// and Windows any number is just on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int FastOpenQueueLength
    {
        get => _fastOpenQueueLength;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _fastOpenQueueLength = value;
        }
    }

    /// <summary>Where it is logged that connections cannot be accepted, once for each time that descriptors run out, and that
    /// they can again. Nowhere by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Tells a socket that is to listen, before it is bound.</summary>
    /// <exception cref="PlatformNotSupportedException">The system lacks an option that has been set.</exception>
    /// <exception cref="SocketException">It refused one.</exception>
    internal void ApplyToListener(nint socket, EndPoint endPoint)
    {
        ApplyTo(socket, endPoint);
        if (endPoint is not IPEndPoint ip)
            return;
        if (ip.AddressFamily == AddressFamily.InterNetworkV6)
        {
            bool dual = DualMode && ip.Address.Equals(IPAddress.IPv6Any);
            SocketOptions.Set(socket, SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, dual ? 0 : 1, nameof(DualMode));
        }
        if (_deferAccept > TimeSpan.Zero)
            SocketOptions.SetDeferAccept(socket, _deferAccept);
        if (_fastOpenQueueLength > 0)
        {
            int value = OperatingSystem.IsLinux() || OperatingSystem.IsFreeBSD() ? _fastOpenQueueLength : 1;
            SocketOptions.Set(socket, SocketOptionLevel.Tcp, SocketOptionName.FastOpen, value, nameof(FastOpenQueueLength));
        }
    }

    private static bool IsName(string? name) =>
        name is { Length: <= MaxNameLength } && name.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && !name.Contains(':');
}
