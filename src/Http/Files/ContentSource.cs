using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>What is served: a stream that can be sought in, or a file. It stays its owner's.</summary>
internal readonly struct ContentSource
{
    private readonly Stream? _stream;
    private readonly SafeFileHandle? _file;

    public ContentSource(Stream stream)
    {
        if (!stream.CanSeek || !stream.CanRead)
            throw new ArgumentException("What is served must be readable, and one that can be sought in.", nameof(stream));
        _stream = stream;
        Length = stream.Length;
    }

    public ContentSource(SafeFileHandle file, long length)
    {
        _file = file;
        Length = length;
    }

    public long Length { get; }

    /// <summary>The type by the first bytes.</summary>
    public async ValueTask<string> SniffAsync()
    {
        byte[] start = new byte[(int)Math.Min(ContentSniffer.SniffLength, Length)];
        int n;
        if (_file is { } file)
        {
            n = Go.Blocking(() => RandomAccess.Read(file, start, 0));
        }
        else
        {
            _stream!.Position = 0;
            n = await _stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false);
        }
        return ContentSniffer.DetectContentType(start.AsSpan(0, n));
    }

    public async ValueTask SendAsync(ResponseWriter response, Request request, ByteRange range)
    {
        // A short content goes into the system's buffer: nothing waits then, and the request's context need not be made.
        CancellationToken cancelled = range.Length > BufferPool.LargeSize ? request.Aborted : CancellationToken.None;
        if (_file is { } file)
        {
            await response.SendFileAsync(file, range.Start, range.Length, cancelled);
            return;
        }
        _stream!.Position = range.Start;
        using NetBuffer buffer = BufferPool.Shared.Rent((int)Math.Clamp(range.Length, 1, BufferPool.LargeSize));
        for (long left = range.Length; left > 0;)
        {
            int n = await _stream.ReadAsync(buffer.Memory[..(int)Math.Min(left, buffer.Length)], cancelled);
            if (n == 0)
                throw new EndOfStreamException($"The content ended {left} bytes before its length.");
            await response.WriteAsync(buffer.Memory[..n], cancelled);
            left -= n;
        }
    }
}
