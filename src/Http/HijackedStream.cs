using System.Net;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>A connection that a handler has taken over from the server. It reads first what had been received with the request. One may
/// read while another writes. Disposing of it closes the connection.</summary>
public sealed class HijackedStream : Stream
{
    private readonly Stream _inner;
    private ReadOnlyMemory<byte> _received;
    private Action? _closed;

    internal HijackedStream(Stream inner, ReadOnlyMemory<byte> received, NetConnection? connection, EndPoint remoteEndPoint)
    {
        _inner = inner;
        _received = received;
        Connection = connection;
        RemoteEndPoint = remoteEndPoint;
    }

    /// <summary>The connection below, whose bytes are those of TLS when that is spoken; for its options and deadlines. Null when it is
    /// one in memory.</summary>
    public NetConnection? Connection { get; }

    /// <summary>The client's address.</summary>
    public EndPoint RemoteEndPoint { get; }

    /// <inheritdoc/>
    public override bool CanRead => _inner.CanRead;

    /// <inheritdoc/>
    public override bool CanWrite => _inner.CanWrite;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => _inner.Length;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position
    {
        get => _inner.Position;
        set => _inner.Position = value;
    }

    /// <summary>Reads at least one byte; 0 at the end. Into an empty buffer, waits until there is something to read.</summary>
    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_received.IsEmpty)
            return _inner.ReadAsync(buffer, cancellationToken);
        return cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<int>(cancellationToken)
            : new ValueTask<int>(TakeReceived(buffer.Span));
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => _received.IsEmpty ? _inner.Read(buffer) : TakeReceived(buffer);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    private int TakeReceived(Span<byte> to)
    {
        int n = Math.Min(to.Length, _received.Length);
        _received.Span[..n].CopyTo(to);
        _received = _received[n..];
        return n;
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _inner.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _inner.WriteAsync(buffer, offset, count, cancellationToken);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => _inner.Write(buffer);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => _inner.Write(buffer, offset, count);

    /// <inheritdoc/>
    public override void Flush() => _inner.Flush();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Seek(long offset, SeekOrigin origin) => _inner.Seek(offset, origin);

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => _inner.SetLength(value);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        ReportClosed();
        await base.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            ReportClosed();
        }
        base.Dispose(disposing);
    }

    /// <summary>Has something called when it is closed, once.</summary>
    internal void OnClose(Action closed) => _closed = closed;

    private void ReportClosed() => Interlocked.Exchange(ref _closed, null)?.Invoke();
}
