using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Netpoll;

/// <summary>How a <see cref="NetListener"/> listens.</summary>
public sealed class ListenOptions
{
    private const int MaxNameLength = 255;
    private const string NameRule = "ASCII without control characters and colons, at most 255 characters";

    private string _name = "unknown";

    /// <summary>How many connections the system keeps that have not been accepted. 4096 by default; the system may allow
    /// less (net.core.somaxconn).</summary>
    public int Backlog { get; set; } = 4096;

    /// <summary>How many sockets listen on the address, each served by a processor of its own (SO_REUSEPORT). 0, the
    /// default: one per processor. Where the system cannot share connections out among sockets, and for Unix sockets, there is
    /// one in any case, whose connections go to all processors in turn.</summary>
    public int Shards { get; set; }

    /// <summary>Whether small writes are sent at once (TCP_NODELAY). True by default, as in Go.</summary>
    public bool NoDelay { get; set; } = true;

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

    /// <summary>Where it is logged that connections cannot be accepted, once for each time that descriptors run out, and that they
    /// can again. Nowhere by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    private static bool IsName(string? name) =>
        name is { Length: <= MaxNameLength } && name.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0 && !name.Contains(':');
}
