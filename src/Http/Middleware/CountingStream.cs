namespace NetGo.Http;

/// <summary>Counts what is read of another stream.</summary>
internal sealed class CountingStream(Stream inner) : Stream
{
    /// <summary>How many bytes have been read.</summary>
    public long Count { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException("What is read from a connection has no length.");

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException("What is read from a connection cannot be sought in.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int n = await inner.ReadAsync(buffer, cancellationToken);
        Count += n;
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        int n = inner.Read(buffer, offset, count);
        Count += n;
        return n;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("What is read from a connection cannot be sought in.");

    public override void SetLength(long value) => throw new NotSupportedException("What is read from a connection cannot be written.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("What is read from a connection cannot be written.");
}
