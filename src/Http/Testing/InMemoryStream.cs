using NetGo.Netpoll;

namespace NetGo.Http.Testing;

/// <summary>An end of a connection in memory, as Go's net.Pipe, but with a buffer: a write waits while the other end has 64 KiB
/// to
/// read. One may read while another writes; any may dispose.</summary>
public sealed class InMemoryStream : Stream
{
    private readonly InMemoryTransport _transport;

    internal InMemoryStream(InMemoryTransport transport) => _transport = transport;

    /// <summary>True until it is disposed.</summary>
    public override bool CanRead => !_transport.IsClosed;

    /// <summary>True until it is disposed.</summary>
    public override bool CanWrite => !_transport.IsClosed;

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

    /// <summary>Ends the stream to the other end, which can still send; Go's CloseWrite.</summary>
    public void CloseWrite() => _transport.CloseWrite();

    /// <summary>Closes it so that the other end sees a failure and not an end, and loses what it has not read: a reset.</summary>
    public void Abort() => _transport.Abort();

    // ---- Reading ----

    /// <summary>Reads at least one byte. Into an empty buffer, waits until there is something to read.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    /// <returns>The number of bytes; 0 at the end of the stream.</returns>
    /// <exception cref="IOException">The other end has been aborted.</exception>
    /// <exception cref="ObjectDisposedException">The stream has been disposed of.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        ObjectDisposedException.ThrowIf(_transport.IsClosed, this);
        int n = _transport.TryRead(buffer.Span);
        if (n == SystemSockets.WouldBlock)
            return ReadSlowAsync(buffer, cancellationToken);
        if (n < 0)
            return ValueTask.FromException<int>(_transport.ErrorOf(n, "read"));
        return Machine.SpendBudget() ? Go.YieldAsync(n) : new ValueTask<int>(n);
    }

    private async ValueTask<int> ReadSlowAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int n;
        do
        {
            await WaitAsync(PollMode.Read, cancellationToken).ConfigureAwait(false);
            n = _transport.TryRead(buffer.Span);
        }
        while (n == SystemSockets.WouldBlock);
        return n >= 0 ? n : throw _transport.ErrorOf(n, "read");
    }

    private async ValueTask WaitAsync(PollMode mode, CancellationToken cancellationToken)
    {
        PollResult result = await _transport.WaitCancellablyAsync(mode, cancellationToken).ConfigureAwait(false);
        if (result == PollResult.Cancelled)
            throw new OperationCanceledException(cancellationToken);
        ObjectDisposedException.ThrowIf(result != PollResult.Ready, this);
    }

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">At most how many bytes.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>As <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>. Blocks the thread.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="offset">Where in it.</param>
    /// <param name="count">At most how many bytes.</param>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    // ---- Writing ----

    /// <summary>Writes all bytes; waits while the other end does not read.</summary>
    /// <param name="buffer">What to write.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been written is then unknown.</param>
    /// <exception cref="IOException">The other end has been closed.</exception>
    /// <exception cref="ObjectDisposedException">The stream has been disposed of.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        ObjectDisposedException.ThrowIf(_transport.IsClosed, this);
        int n = _transport.TryWrite(buffer.Span);
        if (n == buffer.Length)
            return Machine.SpendBudget() ? Go.YieldAsync() : default;
        return n >= 0 || n == SystemSockets.WouldBlock
            ? WriteSlowAsync(buffer[Math.Max(0, n)..], cancellationToken)
            : ValueTask.FromException(_transport.ErrorOf(n, "write"));
    }

    private async ValueTask WriteSlowAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            int n = _transport.TryWrite(buffer.Span);
            if (n == buffer.Length)
                return;
            if (n >= 0)
                buffer = buffer[n..];
            else if (n == SystemSockets.WouldBlock)
                await WaitAsync(PollMode.Write, cancellationToken).ConfigureAwait(false);
            else
                throw _transport.ErrorOf(n, "write");
        }
    }

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="buffer">What to write.</param>
    /// <param name="offset">From where in it.</param>
    /// <param name="count">How many bytes.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been written is then unknown.</param>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>. Blocks the thread.</summary>
    /// <param name="buffer">What to write.</param>
    /// <param name="offset">From where in it.</param>
    /// <param name="count">How many bytes.</param>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    // ---- The rest ----

    /// <summary>Does nothing: what is written is there for the other end.</summary>
    public override void Flush()
    {
    }

    /// <summary>Does nothing: what is written is there for the other end.</summary>
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
            _transport.Close();
        base.Dispose(disposing);
    }

    private static NotSupportedException NoSeeking() => new("A connection's stream has no length and no position.");
}
