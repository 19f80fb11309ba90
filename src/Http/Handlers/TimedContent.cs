namespace NetGo.Http;

/// <summary>Content that can be read until a deadline. Reads and what the other goroutine does to the response exclude one another.</summary>
internal sealed class TimedContent(Stream inner, CancellationToken deadline) : Stream
{
    private readonly GoMutex _mutex = new();
    private bool _closed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => throw new NotSupportedException("The content of a request cannot be sought in.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _mutex.LockAsync(cancellationToken);
        try
        {
            if (_closed)
                throw new TimeoutException("The time for the handler has passed: the content can no longer be read.");
            if (!cancellationToken.CanBeCanceled || cancellationToken == deadline)
                return await inner.ReadAsync(buffer, deadline);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline);
            return await inner.ReadAsync(buffer, either.Token);
        }
        finally
        {
            _mutex.Unlock();
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Blocks the thread. The scheduler hands its processor on, so that only this request waits.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>Waits for a read that is under way, which the deadline ends. No other begins after that.</summary>
    public async ValueTask CloseAsync()
    {
        await _mutex.LockAsync();
        _closed = true;
        _mutex.Unlock();
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("The content of a request cannot be sought in.");

    public override void SetLength(long value) => throw new NotSupportedException("The content of a request cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The content of a request cannot be changed.");
}
