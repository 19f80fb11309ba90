namespace NetGo.Http;

/// <summary>What a decompressor reads: counts it, and finds out whether it was cut off.</summary>
// .NET's decompressors take an end in the middle for the end. So there is one byte more here than there is, that no format has for its last one (they
// end with padding, a checksum, or the high byte of a length): at the true end nobody wants it, or nobody asks for more after it. Nothing at all is
// what .NET's compressors make of nothing.
internal sealed class CompressedContent(Stream inner) : Stream
{
    private const byte BeyondTheEnd = 0xff;

    private bool _beyond;

    /// <summary>How many bytes have been read.</summary>
    public long Count { get; private set; }

    /// <summary>Whether more was asked for than there is.</summary>
    public bool IsCutOff { get; private set; }

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
        int n = _beyond ? 0 : await inner.ReadAsync(buffer, cancellationToken);
        Count += n;
        return n > 0 || buffer.IsEmpty || Count == 0 ? n : ReadBeyond(buffer.Span);
    }

    private int ReadBeyond(Span<byte> buffer)
    {
        IsCutOff = _beyond;
        _beyond = true;
        if (IsCutOff)
            return 0;
        buffer[0] = BeyondTheEnd;
        return 1;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("What is read from a connection cannot be sought in.");

    public override void SetLength(long value) => throw new NotSupportedException("What is read from a connection cannot be written.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("What is read from a connection cannot be written.");
}
