namespace NetGo.Http;

/// <summary>The content of a request, decompressed, as far as the limits allow.</summary>
internal sealed class DecompressedBody(Stream decompressor, CompressedContent received, RequestDecompressionOptions options) : Stream
{
    private long _total;
    private BadRequestException? _failure;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException("The length of compressed content is not known before its end.");

    public override long Position
    {
        get => _total;
        set => throw new NotSupportedException("The content of a request cannot be sought in.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_failure is { } failure)
            throw failure;
        int n;
        try
        {
            n = await decompressor.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
        {
            throw _failure = new BadRequestException("The content cannot be decompressed.", e);
        }
        if (n == 0 && !buffer.IsEmpty && received.IsCutOff)
            throw _failure = new BadRequestException("The content ends in the middle of what is compressed.");
        _total += n;
        if (_total > options.MaxDecompressedSize)
            throw _failure = new BadRequestException(413, $"The content is longer than {options.MaxDecompressedSize} bytes when it is decompressed.");
        if (_total > options.RatioExemptSize && _total / options.MaxRatio > received.Count)
            throw _failure = new BadRequestException(413, $"The content becomes more than {options.MaxRatio} times as long when it is decompressed.");
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Blocks the thread. The scheduler hands its processor on, so that only this request waits.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("The content of a request cannot be sought in.");

    public override void SetLength(long value) => throw new NotSupportedException("The content of a request cannot be written.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The content of a request cannot be written.");
}
