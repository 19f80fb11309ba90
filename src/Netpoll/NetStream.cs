namespace NetGo.Netpoll;

/// <summary>A <see cref="NetConnection"/> as a <see cref="Stream"/>; what NetworkStream is to a Socket. One may read while
/// another writes, and any may dispose.</summary>
/// <remarks>
/// <para>The asynchronous operations are the connection's own: on a goroutine they park it, and what is awaited on top of them,
/// as in SslStream or StreamReader, goes on on the goroutine. The synchronous ones block the thread, of a goroutine or any other;
/// a goroutine's processor goes on with others meanwhile.</para>
/// <para>As with NetworkStream, <see cref="ReadTimeout"/> and <see cref="WriteTimeout"/> are for the synchronous operations. The
/// asynchronous ones end by their token, or by the deadlines of the connection, which hold for both kinds.</para>
/// </remarks>
public sealed class NetStream : Stream
{
    private readonly bool _ownsConnection;
    private volatile bool _disposed;
    private int _readTimeout = Timeout.Infinite;
    private int _writeTimeout = Timeout.Infinite;

    internal NetStream(NetConnection connection, bool ownsConnection)
    {
        Connection = connection;
        _ownsConnection = ownsConnection;
    }

    /// <summary>What it reads from and writes to.</summary>
    public NetConnection Connection { get; }

    /// <summary>True until it is disposed.</summary>
    public override bool CanRead => !_disposed;

    /// <summary>True until it is disposed.</summary>
    public override bool CanWrite => !_disposed;

    /// <summary>True.</summary>
    public override bool CanTimeout => true;

    /// <summary>False.</summary>
    public override bool CanSeek => false;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw NoSeeking();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position
    {
        get => throw NoSeeking();
        set => throw NoSeeking();
    }

    /// <summary>For how many milliseconds a synchronous read may wait before it ends with an <see cref="IOException"/>. Nothing
    /// is lost by that. <see cref="Timeout.Infinite"/> by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither positive nor <see cref="Timeout.Infinite"/>.</exception>
    public override int ReadTimeout
    {
        get => _readTimeout;
        set => _readTimeout = Checked(value);
    }

    /// <summary>For how many milliseconds a synchronous write may wait before it ends with an <see cref="IOException"/>; how much
    /// has been written is then unknown. <see cref="Timeout.Infinite"/> by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither positive nor <see cref="Timeout.Infinite"/>.</exception>
    public override int WriteTimeout
    {
        get => _writeTimeout;
        set => _writeTimeout = Checked(value);
    }

    // ---- Reading ----

    /// <inheritdoc cref="NetConnection.ReadAsync"/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Connection.ReadAsync(buffer, cancellationToken);
    }

    /// <inheritdoc cref="NetConnection.ReadAsync"/>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">At most how many bytes; 0 to wait until there is something to read.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Reads at least one byte. Blocks the thread until there is one.</summary>
    /// <param name="buffer">Where to. When it is empty, waits until there is something to read.</param>
    /// <returns>The number of bytes; 0 at the end of the stream.</returns>
    /// <exception cref="IOException">The connection failed, or <see cref="ReadTimeout"/> has passed; the inner
    /// <see cref="System.Net.Sockets.SocketException"/> says which.</exception>
    /// <exception cref="TimeoutException">The connection's read deadline has passed.</exception>
    /// <exception cref="ObjectDisposedException">The stream or the connection has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another reads.</exception>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Connection.ReadBlocking(buffer, _readTimeout);
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">At most how many bytes; 0 to wait until there is something to read.</param>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc cref="Read(Span{byte})"/>
    /// <returns>The byte; -1 at the end of the stream.</returns>
    public override int ReadByte()
    {
        byte one = 0;
        return Read(new Span<byte>(ref one)) == 0 ? -1 : one;
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    // ---- Writing ----

    /// <inheritdoc cref="NetConnection.WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Connection.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc cref="NetConnection.WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="buffer">What to write.</param>
    /// <param name="offset">From where in it.</param>
    /// <param name="count">How many bytes.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been written is then unknown.</param>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Writes all bytes. Blocks the thread until the system has taken them.</summary>
    /// <param name="buffer">What to write.</param>
    /// <exception cref="IOException">The connection failed, or <see cref="WriteTimeout"/> has passed; the inner
    /// <see cref="System.Net.Sockets.SocketException"/> says which.</exception>
    /// <exception cref="TimeoutException">The connection's write deadline has passed.</exception>
    /// <exception cref="ObjectDisposedException">The stream or the connection has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another writes.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Connection.WriteBlocking(buffer, _writeTimeout);
    }

    /// <inheritdoc cref="Write(ReadOnlySpan{byte})"/>
    /// <param name="buffer">What to write.</param>
    /// <param name="offset">From where in it.</param>
    /// <param name="count">How many bytes.</param>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    /// <inheritdoc cref="Write(ReadOnlySpan{byte})"/>
    /// <param name="value">The byte.</param>
    public override void WriteByte(byte value) => Write(new ReadOnlySpan<byte>(in value));

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    // ---- The rest ----

    /// <summary>Does nothing: what is written is with the system already.</summary>
    public override void Flush()
    {
    }

    /// <summary>Does nothing: what is written is with the system already.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Seek(long offset, SeekOrigin origin) => throw NoSeeking();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => throw NoSeeking();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _disposed = true;
            if (_ownsConnection)
                Connection.Close();
        }
        base.Dispose(disposing);
    }

    private static int Checked(int value)
    {
        if (value != Timeout.Infinite)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
        return value;
    }

    private static NotSupportedException NoSeeking() => new("A connection's stream has no length and no position.");
}
