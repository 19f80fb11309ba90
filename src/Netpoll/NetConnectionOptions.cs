using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>What connections are like, whoever opened them: what <see cref="ListenOptions"/> and <see cref="NetDialer"/> have in
/// common. The defaults are Go's. What is TCP's means nothing to Unix sockets and is not applied to them.</summary>
/// <remarks>An option that has been set and that the system does not have is a <see cref="PlatformNotSupportedException"/> of who
/// listens or dials. On Linux the listening socket is told, and what it accepts inherits it, so that no option costs anything per
/// connection; other systems are told again of each connection.</remarks>
public abstract class NetConnectionOptions
{
    private int? _sendBufferSize;
    private int? _receiveBufferSize;
    private TimeSpan? _linger;

    private protected NetConnectionOptions()
    {
    }

    /// <summary>Whether small writes are sent at once (TCP_NODELAY), instead of being held back until the peer has acknowledged
    /// what was sent before. True by default, as in Go.</summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>When a silent peer is asked whether it is still there (SO_KEEPALIVE). Null, the default: as Go does, after 15 s,
    /// every 15 s, 9 times (<see cref="TcpKeepAlive.Default"/>), or as near to that as the system comes.</summary>
    public TcpKeepAlive? KeepAlive { get; set; }

    /// <summary>The size in bytes of the system's buffer for what has been written and not been acknowledged yet (SO_SNDBUF).
    /// Null, the default: the system's choice, which on most grows with the connection. Linux doubles the number, for its own
    /// bookkeeping, and takes at most net.core.wmem_max.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int? SendBufferSize
    {
        get => _sendBufferSize;
        set => _sendBufferSize = Positive(value);
    }

    /// <summary>The size in bytes of the system's buffer for what has come and not been read yet (SO_RCVBUF), which limits what
    /// the peer may send ahead. It is set before the connection is opened: the window scale is agreed upon then. Null, the
    /// default: the system's choice, which on most grows with the connection. Linux doubles the number, for its own bookkeeping,
    /// and takes at most net.core.rmem_max.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int? ReceiveBufferSize
    {
        get => _receiveBufferSize;
        set => _receiveBufferSize = Positive(value);
    }

    /// <summary>What <see cref="NetSocket.Close"/> does with bytes that have not been sent yet (SO_LINGER). Null, the default:
    /// the system sends them, and Close does not wait for that. Zero: they are thrown away and the peer is told that the
    /// connection failed (RST). More, in whole seconds: Close waits that long for them to be sent, and blocks its
    /// thread.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or more than 32767 s.</exception>
    public TimeSpan? Linger
    {
        get => _linger;
        set => _linger = SocketOptions.CheckLinger(value);
    }

    internal bool Lingers => _linger > TimeSpan.Zero;

    private static int? Positive(int? value)
    {
        if (value is { } size)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(value));
        return value;
    }

    /// <summary>Before it is bound and listens or connects.</summary>
    /// <exception cref="PlatformNotSupportedException">The system has no such option.</exception>
    /// <exception cref="SocketException">It refused.</exception>
    private protected void ApplyTo(nint socket, EndPoint endPoint)
    {
        if (_sendBufferSize is { } sendBuffer)
            SetSize(SocketOptionName.SendBuffer, sendBuffer, nameof(SendBufferSize));
        if (_receiveBufferSize is { } receiveBuffer)
            SetSize(SocketOptionName.ReceiveBuffer, receiveBuffer, nameof(ReceiveBufferSize));
        if (_linger is { } linger)
            SocketOptions.SetLinger(socket, linger);
        if (endPoint is not IPEndPoint)
            return;
        if (NoDelay)
            SocketOptions.Set(socket, SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1, nameof(NoDelay));
        if (KeepAlive is { } keepAlive)
            SocketOptions.SetKeepAlive(socket, keepAlive);
        else
            _ = SocketOptions.TrySetKeepAlive(socket, TcpKeepAlive.Default);

        void SetSize(SocketOptionName name, int size, string option) =>
            SocketOptions.Set(socket, SocketOptionLevel.Socket, name, size, option);
    }

    /// <summary>Tells an accepted socket what the listening one was told, on a system where it may not have inherited
    /// it.</summary>
    internal void ApplyToAccepted(nint socket, EndPoint endPoint)
    {
        try
        {
            ApplyTo(socket, endPoint);
        }
        catch (SocketException)
        {
            // The connection has failed already, which its first read will say.
        }
    }
}
