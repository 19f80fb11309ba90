using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>How connections are listened for and what they are like. The names are those of ASP.NET Core's SocketTransportOptions, as far as
/// there is such a thing here: nothing is read before it is asked for, so there is no MaxReadBufferSize, no buffer is held for a connection that
/// waits (WaitForDataBeforeAllocatingBuffer), and what is awaited goes on inline, which is safe here (UnsafePreferInlineScheduling).</summary>
public sealed class NetpollTransportOptions
{
    private int _backlog = 4096;
    private int _ioQueueCount;
    private int? _maxWriteBufferSize = 128 * 1024;
    private int _maxDeferredBytes = 16 * 1024;

    /// <summary>How many connections the system keeps that have not been accepted. 4096 by default; the system may allow less
    /// (net.core.somaxconn).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int Backlog
    {
        get => _backlog;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _backlog = value;
        }
    }

    /// <summary>On how many of the scheduler's processors connections are accepted and live (<see cref="ListenOptions.Shards"/>). 0, the default:
    /// on all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int IOQueueCount
    {
        get => _ioQueueCount;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _ioQueueCount = value;
        }
    }

    /// <summary>Whether small segments are sent at once (TCP_NODELAY). True by default.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>Of each connection: how many bytes the system takes that it has not sent yet, before a flush waits
    /// (TCP_NOTSENT_LOWAT). 128 KiB by default; null for what the system allows, which is megabytes. Where the system knows no such limit, it is
    /// its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int? MaxWriteBufferSize
    {
        get => _maxWriteBufferSize;
        set
        {
            if (value is { } bytes)
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes, nameof(value));
            _maxWriteBufferSize = value;
        }
    }

    /// <summary>Of each connection: how much of what has been flushed may wait until the code that flushed it gives way (awaits something, ends, or blocks
    /// its thread), so that it goes to the system in one call with what is flushed next. In bytes; 16 KiB by default. 0: each flush is a call of
    /// its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int MaxDeferredBytes
    {
        get => _maxDeferredBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxDeferredBytes = value;
        }
    }

    /// <summary>Whose processors do it. Null, the default: <see cref="GoScheduler.Current"/>, of whoever binds or connects.</summary>
    public GoScheduler? Scheduler { get; set; }

    /// <summary>When connections run over System.Net.Sockets instead of NetGo's pollers. By default where no poller works. There, what is awaited
    /// goes on on the thread pool, up to 64 KiB are read ahead of the application, <see cref="MaxWriteBufferSize"/> is kept in the process, and
    /// <see cref="IOQueueCount"/> and <see cref="Scheduler"/> mean nothing. Which it is, is logged when the first listener or connection is wanted.</summary>
    public FallbackUse Fallback { get; set; }
}
