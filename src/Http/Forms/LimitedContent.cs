namespace NetGo.Http;

/// <summary>Content that may have no more than so many bytes; Go's MaxBytesReader.</summary>
/// <param name="inner">The content.</param>
/// <param name="limit">How many bytes.</param>
/// <param name="response">Ends the connection when the content is longer: the rest of it is not worth being read.</param>
internal sealed class LimitedContent(Stream inner, long limit, ResponseWriter? response = null) : Stream
{
    private long _read;

    /// <summary>The content is known to be longer: nothing of it is read.</summary>
    public bool IsTooLong { get; init; }

    /// <summary>Whether the content has been read to its end.</summary>
    public bool HasEnded { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException("The content of a request cannot be sought in.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => IsTooLong
        ? throw TooLong()
        : Count(await inner.ReadAsync(buffer, cancellationToken), buffer.Length);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => IsTooLong
        ? throw TooLong()
        : Count(inner.Read(buffer, offset, count), count);

    private int Count(int n, int wanted)
    {
        HasEnded |= n == 0 && wanted > 0;
        _read += n;
        return _read <= limit ? n : throw TooLong();
    }

    private BadRequestException TooLong()
    {
        if (response is { HeaderWritten: false })
            response.Header.Set("Connection", "close");
        return new BadRequestException(413, $"The content is longer than {limit} bytes.");
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("The content of a request cannot be sought in.");

    public override void SetLength(long value) => throw new NotSupportedException("The content of a request cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The content of a request cannot be changed.");
}
