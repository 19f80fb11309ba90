using System.Net.Sockets;

namespace NetGo.Netpoll;

// Options of a connection that is open already. Each is a system call; what can be said when listening or dialling costs none.
public sealed partial class NetConnection
{
    /// <summary>Whether small writes are sent at once (TCP_NODELAY); Go's SetNoDelay.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    /// <exception cref="PlatformNotSupportedException">It is not TCP's.</exception>
    public bool NoDelay
    {
        get => Get(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, nameof(NoDelay)) != 0;
        set => Set(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, value ? 1 : 0, nameof(NoDelay));
    }

    /// <summary>The size in bytes of the system's buffer for what has been written and not been acknowledged yet (SO_SNDBUF);
    /// Go's SetWriteBuffer. Linux doubles what is set, and tells that.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public int SendBufferSize
    {
        get => Get(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, nameof(SendBufferSize));
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            Set(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, value, nameof(SendBufferSize));
        }
    }

    /// <summary>The size in bytes of the system's buffer for what has come and not been read yet (SO_RCVBUF); Go's SetReadBuffer.
    /// Linux doubles what is set, and tells that. To be of use above 64 KiB it has to be set when listening or dialling
    /// (<see cref="NetConnectionOptions.ReceiveBufferSize"/>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public int ReceiveBufferSize
    {
        get => Get(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, nameof(ReceiveBufferSize));
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            Set(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, value, nameof(ReceiveBufferSize));
        }
    }

    /// <summary>Sets when a silent peer is asked whether it is still there; Go's SetKeepAliveConfig.</summary>
    /// <param name="keepAlive"><see cref="TcpKeepAlive.Off"/> for never.</param>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    /// <exception cref="PlatformNotSupportedException">It is not TCP's, or the system lacks one of the options.</exception>
    public void SetKeepAlive(TcpKeepAlive keepAlive)
    {
        ArgumentNullException.ThrowIfNull(keepAlive);
        AddReference();
        try
        {
            SocketOptions.SetKeepAlive(Descriptor, keepAlive);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Sets what <see cref="NetSocket.Close"/> does with bytes that have not been sent yet; Go's SetLinger.</summary>
    /// <param name="linger">As <see cref="NetConnectionOptions.Linger"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or more than 32767 s.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void SetLinger(TimeSpan? linger)
    {
        SocketOptions.CheckLinger(linger);
        AddReference();
        try
        {
            SocketOptions.SetLinger(Descriptor, linger);
            Lingers = linger > TimeSpan.Zero;
        }
        finally
        {
            Release();
        }
    }

    // How many bytes the peer has acknowledged; false when the system does not tell. The caller holds a reference.
    internal bool TryGetAcknowledged(out long bytes) => SystemSockets.TryGetAcknowledged(Descriptor, out bytes);

    private int Get(SocketOptionLevel level, SocketOptionName name, string option)
    {
        AddReference();
        try
        {
            return SocketOptions.Get(Descriptor, level, name, option);
        }
        finally
        {
            Release();
        }
    }

    private void Set(SocketOptionLevel level, SocketOptionName name, int value, string option)
    {
        AddReference();
        try
        {
            SocketOptions.Set(Descriptor, level, name, value, option);
        }
        finally
        {
            Release();
        }
    }
}
