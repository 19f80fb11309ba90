using System.Text;
using NetGo.Netpoll;

namespace NetGo.Http;

// The content of a request as a stream (RFC 9112, sections 6 and 7). What came together with the head is copied from the input
// buffer; the rest of a long content is read straight into the reader's memory.
//
// The states of chunked content:
//
//   Size      at the start of "size;extensions CRLF"
//   Data      _remaining bytes of the chunk are to come
//   DataEnd   at the CRLF after a chunk's data
//   Trailer   at the start of a trailer field, or of the empty line that ends it all
//   Done
//
// Content with a Content-Length is one chunk: Data, then Done.
internal sealed class RequestBody(Http1Exchange exchange) : Stream
{
    private const int MaxChunkLine = 4 * 1024;
    private const int MaxChunkDigits = 15;

    private State _state = State.Done;
    private bool _chunked;
    private long _remaining;
    private long _total;
    private int _trailerBytes;
    private bool _failed;

    private enum State : byte
    {
        Size,
        Data,
        DataEnd,
        Trailer,
        Done,
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException("The content of a request cannot be sought in: see Request.ContentLength.");

    public override long Position
    {
        get => _total;
        set => throw new NotSupportedException("The content of a request cannot be sought in.");
    }

    /// <summary>Whether all of it has been read.</summary>
    public bool IsDone => _state == State.Done && !_failed;

    /// <summary>Whether its end cannot be found any more.</summary>
    public bool HasFailed => _failed;

    /// <summary>How much is known to be still to come.</summary>
    public long KnownRemaining => _remaining;

    public void Begin(long contentLength)
    {
        _chunked = contentLength < 0;
        _state = _chunked ? State.Size : contentLength > 0 ? State.Data : State.Done;
        _remaining = Math.Max(0, contentLength);
        _total = 0;
        _trailerBytes = 0;
        _failed = false;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        if (buffer.IsEmpty)
            return new ValueTask<int>(0);
        try
        {
            int n = TryRead(buffer.Span);
            if (n == SystemSockets.WouldBlock)
                return ReadSlowAsync(buffer, cancellationToken);
            return Machine.SpendBudget() ? Go.YieldAsync(n) : new ValueTask<int>(n);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<int>(e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Blocks the thread. The scheduler hands its processor on, so that only this request waits.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    private async ValueTask<int> ReadSlowAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await exchange.SendContinueAsync();
        while (true)
        {
            PollResult result = await exchange.WaitForInputAsync(cancellationToken);
            exchange.EndWaitForInput();
            if (result == PollResult.Cancelled)
                throw new OperationCanceledException(cancellationToken);
            if (result == PollResult.Timeout)
                throw Fail(408, "The content does not come, or too slowly.");
            if (result == PollResult.Closing)
                throw Fail(new IOException("The connection was closed while the content was being read."));
            int n = TryRead(buffer.Span);
            if (n != SystemSockets.WouldBlock)
                return n;
        }
    }

    /// <summary>Reads what there is: the number of bytes, 0 at the end, <see cref="SystemSockets.WouldBlock"/> when none has come.</summary>
    internal int TryRead(Span<byte> to)
    {
        if (_failed)
            throw new BadRequestException("The content can no longer be read: it was broken off.");
        while (true)
        {
            switch (_state)
            {
                case State.Done:
                    return 0;
                case State.Data:
                    int n = ReadData(to);
                    if (n > 0)
                        Count(n);
                    return n;
                default:
                    if (!TryReadLine())
                        return SystemSockets.WouldBlock;
                    break;
            }
        }
    }

    private int ReadData(Span<byte> to)
    {
        if (to.Length > _remaining)
            to = to[..(int)_remaining];
        int buffered = exchange.TakeInput(to);
        if (buffered > 0)
            return buffered;
        int n = exchange.ReadPast(to);
        if (n == 0)
            throw Fail(400, "The connection ended before the content did.");
        if (n < 0 && n != SystemSockets.WouldBlock)
            throw Fail(exchange.Transport.ErrorOf(n, "read"));
        return n;
    }

    private void Count(int n)
    {
        HasBegun();
        _remaining -= n;
        _total += n;
        if (_remaining == 0)
            _state = _chunked ? State.DataEnd : State.Done;
    }

    // The client has not waited for 100 (Continue).
    private void HasBegun() => exchange.Request.ExpectsContinue = false;

    // One line of the framing. False when it has not come whole.
    private bool TryReadLine()
    {
        int end;
        while ((end = exchange.Input.IndexOf((byte)'\n')) < 0)
        {
            if (exchange.Input.Length > MaxChunkLine)
                throw FailLineTooLong();
            int n = exchange.FillInput();
            if (n == SystemSockets.WouldBlock)
                return false;
            if (n == 0)
                throw Fail(400, "The connection ended before the content did.");
            if (n < 0)
                throw Fail(exchange.Transport.ErrorOf(n, "read"));
        }
        if (end > MaxChunkLine)
            throw FailLineTooLong();
        if (end == 0 || exchange.Input[end - 1] != '\r')
            throw Fail(400, "A line of the chunked coding does not end with CRLF.");
        HasBegun();
        ParseLine(exchange.Input[..(end - 1)]);
        exchange.SkipInput(end + 1);
        return true;
    }

    private void ParseLine(ReadOnlySpan<byte> line)
    {
        switch (_state)
        {
            case State.Size:
                ParseSize(line);
                break;
            case State.DataEnd:
                if (!line.IsEmpty)
                    throw Fail(400, "A chunk is longer than its size says.");
                _state = State.Size;
                break;
            case State.Trailer:
                ParseTrailer(line);
                break;
        }
    }

    private void ParseSize(ReadOnlySpan<byte> line)
    {
        int digits = 0;
        long size = 0;
        while (digits < line.Length && char.IsAsciiHexDigit((char)line[digits]))
        {
            if (digits == MaxChunkDigits)
                throw Fail(400, "A chunk size has too many digits.");
            size = (size << 4) | (long)(uint)HexValue(line[digits++]);
        }
        if (digits == 0 || !ChunkExtensions.AreValid(line[digits..]))
            throw Fail(400, "A chunk size is not valid.");
        if (_total + size > exchange.Limits.MaxRequestBodySize)
            throw Fail(413, $"The content is longer than {exchange.Limits.MaxRequestBodySize} bytes.");
        // Extensions and framing are counted with the trailer, so that they cannot go on for ever around little data.
        _trailerBytes += line.Length - digits;
        CheckTrailerSize();
        _remaining = size;
        _state = size > 0 ? State.Data : State.Trailer;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private void ParseTrailer(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty)
        {
            _state = State.Done;
            return;
        }
        _trailerBytes += line.Length + 2;
        CheckTrailerSize();
        int colon = line.IndexOf((byte)':');
        if (colon <= 0 || !HttpSyntax.IsToken(line[..colon]) || !HttpSyntax.IsFieldValue(line[(colon + 1)..]))
            throw Fail(400, "A trailer field is not valid.");
        string name = Encoding.ASCII.GetString(line[..colon]);
        if (HttpSyntax.IsForbiddenInTrailer(name))
            throw Fail(400, "The trailer has a field that belongs to the head.");
        HeaderFields trailer = exchange.Request.Trailer;
        if (trailer.Count >= exchange.Limits.MaxHeaderCount)
            throw Fail(431, $"The trailer has more than {exchange.Limits.MaxHeaderCount} fields.");
        trailer.Add(name, Encoding.Latin1.GetString(HttpSyntax.TrimWhitespace(line[(colon + 1)..])));
    }

    private void CheckTrailerSize()
    {
        if (_trailerBytes > exchange.Limits.MaxHeaderBytes)
            throw Fail(431, $"The chunk extensions and the trailer are longer than {exchange.Limits.MaxHeaderBytes} bytes.");
    }

    private BadRequestException FailLineTooLong() =>
        Fail(_state == State.Trailer ? 431 : 400, $"A line of the chunked coding or of the trailer is longer than {MaxChunkLine} bytes.");

    private BadRequestException Fail(int status, string message)
    {
        _failed = true;
        return new BadRequestException(status, message);
    }

    private IOException Fail(IOException error)
    {
        _failed = true;
        return error;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("The content of a request cannot be sought in.");

    public override void SetLength(long value) => throw new NotSupportedException("The content of a request cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The content of a request cannot be changed.");
}
