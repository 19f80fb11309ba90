using System.Buffers.Text;
using System.Text;
using Microsoft.Win32.SafeHandles;
using NetGo.Netpoll;

namespace NetGo.Http;

// An HTTP/1.1 response (RFC 9112, sections 4, 6 and 7). How its content is delimited is decided as late as possible:
//
//   Open       nothing has been written; fields may still be set
//   Buffered   the head is in the output buffer, but for its last fields: a gap is left for them. Content follows.
//              An end now gives Content-Length; a flush gives Transfer-Encoding: chunked (HTTP/1.0: until close)
//   Fixed      the handler has set Content-Length
//   Chunked    chunks are built in the buffer behind a gap for their size, closed by a flush
//   UntilClose HTTP/1.0 without a known length
//   Empty      the status or the method allows no content; for HEAD what is written is counted only
//   Ended      nothing can be written any more: the handler has ended, or has taken the connection over
//
// With trailer fields, a response that would be Buffered to its end becomes Chunked then.
//
// The gap is as long as "Transfer-Encoding: chunked", the empty line and the first chunk's size line together.
internal sealed class Http1ResponseWriter(Http1Exchange exchange) : ResponseWriter
{
    private const int GapSize = 64;
    private const int ChunkHeaderSize = 10; // 8 hexadecimal digits, CRLF
    private const int MaxBuffered = 60 * 1024; // with the head, a network buffer
    private const int MaxStreamed = 16 * 1024;
    private const int LargeWrite = 8 * 1024;
    private const int MaxFilePiece = 1 << 30;

    private readonly HeaderFields _header = new();
    private HeaderFields? _trailer;
    private bool _inPiece;
    private Framing _framing;
    private int _status;
    private int _gap;
    private int _chunk;
    private bool _chunkOpen;
    private bool _announceKeepAlive;
    private long _declared;
    private long _written;
    private int _start;

    private enum Framing : byte
    {
        Open,
        Buffered,
        Fixed,
        Chunked,
        UntilClose,
        Empty,
        Ended,
    }

    // HTTP/1.0 only, and only when the length of the content is known (RFC 9112, section 9.3).
    private static ReadOnlySpan<byte> KeepAliveLine => "Connection: keep-alive\r\n"u8;

    public override HeaderFields Header => _header;

    public override HeaderFields Trailer => _trailer ??= new HeaderFields();

    public override int StatusCode => _status;

    public override bool HeaderWritten => _framing != Framing.Open;

    /// <summary>Whether some of the response has left, so that it cannot be replaced by an error any more.</summary>
    public bool Started { get; private set; }

    /// <summary>Whether the connection must end after this response.</summary>
    public bool MustClose { get; private set; }

    private OutputBuffer Output => exchange.Output;

    public void Begin()
    {
        _header.Clear();
        _trailer?.Clear();
        _inPiece = false;
        _framing = Framing.Open;
        _status = 200;
        _declared = -1;
        _written = 0;
        _chunkOpen = false;
        _start = Output.End;
        Started = false;
        MustClose = false;
    }

    /// <summary>What was sent since <see cref="Begin"/> is not part of this response.</summary>
    public void MoveStart() => _start = Output.End;

    // ---- The head ----

    public override void WriteHeader(int statusCode)
    {
        if (statusCode is < 200 or > 999)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of a final response is from 200 to 999.");
        if (_framing != Framing.Open)
            return;
        _status = statusCode;
        WriteHead();
    }

    private void WriteHead()
    {
        Request request = exchange.Request;
        bool isTunnel = _status < 300 && request.IsConnect; // RFC 9110, 9.3.6: for the client, no response follows this head
        MustClose |= request.Close || exchange.Connection.IsShuttingDown || request.ExpectsContinue || isTunnel;
        bool hasDate = false;
        bool hasServer = false;
        bool hasConnection = false;
        bool saysClose = false;
        Output.Append(StatusText.LineOf(_status));
        for (int i = 0; i < _header.Count; i++)
        {
            string name = _header.NameAt(i);
            string value = _header.ValueAt(i);
            switch (name.Length)
            {
                case 4 when name.Equals("Date", StringComparison.OrdinalIgnoreCase):
                    hasDate = true;
                    break;
                case 6 when name.Equals("Server", StringComparison.OrdinalIgnoreCase):
                    hasServer = true;
                    break;
                case 10 when name.Equals("Connection", StringComparison.OrdinalIgnoreCase):
                    hasConnection = true;
                    saysClose |= value.Contains("close", StringComparison.OrdinalIgnoreCase);
                    break;
                case 14 when name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase):
                    SetDeclared(value);
                    continue;
                case 17 when name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase):
                    continue; // ours to decide
            }
            AppendField(name, value);
        }
        if (!hasDate)
            Output.Append(DateField.Line);
        if (!hasServer)
            Output.Append(exchange.Connection.ServerFieldLine);
        if (MustClose && !saysClose)
            Output.Append("Connection: close\r\n"u8);
        MustClose |= saysClose;
        bool empty = _status is 204 or 205 or 304 || request.IsHead || isTunnel;
        _announceKeepAlive = !hasConnection && !MustClose && request.IsHttp10;
        if (_announceKeepAlive && (empty || _declared >= 0))
            Output.Append(KeepAliveLine);
        if (empty)
            BeginEmpty(isTunnel);
        else if (_declared >= 0)
            EndHeadWithLength(_declared, Framing.Fixed);
        else
            BeginBuffered();
    }

    private void AppendField(string name, string value)
    {
        int length = name.Length + value.Length + 4;
        Span<byte> to = Output.Free(length);
        // Both were checked when they were set: the name is ASCII, the value Latin-1.
        Ascii.FromUtf16(name, to, out int n);
        to[n++] = (byte)':';
        to[n++] = (byte)' ';
        n += Encoding.Latin1.GetBytes(value, to[n..]);
        to[n++] = (byte)'\r';
        to[n++] = (byte)'\n';
        Output.Advance(n);
    }

    private void SetDeclared(string value)
    {
        if (!long.TryParse(value, System.Globalization.NumberStyles.None, null, out _declared))
        {
            _declared = -1;
            throw new InvalidOperationException($"The handler has set Content-Length to \"{value}\", which is no length.");
        }
    }

    private void EndHeadWithLength(long length, Framing framing)
    {
        Span<byte> to = Output.Free(GapSize);
        Output.Advance(FormatLength(to, length));
        _framing = framing;
    }

    private static int FormatLength(Span<byte> to, long length)
    {
        "Content-Length: "u8.CopyTo(to);
        Utf8Formatter.TryFormat(length, to[16..], out int digits);
        "\r\n\r\n"u8.CopyTo(to[(16 + digits)..]);
        return 20 + digits;
    }

    private void BeginEmpty(bool isTunnel)
    {
        _framing = Framing.Empty;
        if (_status == 205)
            _declared = 0; // RFC 9110, 15.3.6: no content, but a client that does not know the status looks for its length
        if (_declared >= 0 && _status != 204 && !isTunnel)
            EndHeadWithLength(_declared, Framing.Empty);
        else if (_status is 204 or 304 || isTunnel)
            Output.Append("\r\n"u8);
        else
            _declared = -1; // HEAD without a declared length: the end knows it
    }

    private void BeginBuffered()
    {
        _gap = Output.End;
        Output.Free(GapSize);
        Output.Advance(GapSize);
        _framing = Framing.Buffered;
    }

    // ---- What comes before, and instead ----

    public override ValueTask WriteInformationalAsync(int statusCode, CancellationToken cancellationToken = default)
    {
        if (statusCode is < 102 or > 199)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of an informational response is from 102 to 199.");
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        ThrowIfBegun("An informational response comes before the head of the final one.");
        return exchange.Request.IsHttp10 ? default : SendInformationalAsync(statusCode); // RFC 9110, section 15.2
    }

    private async ValueTask SendInformationalAsync(int statusCode)
    {
        Output.Append(StatusText.LineOf(statusCode));
        AppendFieldsButFraming();
        Output.Append("\r\n"u8);
        await exchange.FlushAsync();
        MoveStart();
    }

    private void AppendFieldsButFraming()
    {
        for (int i = 0; i < _header.Count; i++)
        {
            string name = _header.NameAt(i);
            if (!IsFraming(name))
                AppendField(name, _header.ValueAt(i));
        }
    }

    private static bool IsFraming(string name) =>
        name.Equals("Connection", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ||
        name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase) || name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase);

    public override async ValueTask<HijackedStream> HijackAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfNotToBeHijacked();
        await exchange.FlushAsync(); // the answers before this one
        _framing = Framing.Ended;
        return exchange.Hijack();
    }

    public override async ValueTask<HijackedStream> UpgradeAsync(string protocol, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(protocol);
        if (!HttpSyntax.IsFieldValue(protocol))
            throw new ArgumentException($"\"{protocol}\" is no name of a protocol.", nameof(protocol));
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfNotToBeHijacked();
        if (!exchange.Request.AsksToUpgradeTo(protocol))
            throw new InvalidOperationException($"The client has not asked for {protocol}: it would not understand it (RFC 9110, section 7.8).");
        Output.Append(StatusText.LineOf(101));
        AppendFieldsButFraming();
        Output.Append(Encoding.Latin1.GetBytes($"Connection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n"));
        _status = 101;
        _framing = Framing.Ended;
        Started = true;
        await exchange.FlushAsync();
        return exchange.Hijack();
    }

    private void ThrowIfNotToBeHijacked()
    {
        ThrowIfBegun("The connection cannot be taken over any more: the response has begun.");
        if (!exchange.Request.RequestBody.IsDone)
            throw new InvalidOperationException("Read the content of the request before the connection is taken over: it would be in what is read of that.");
    }

    private void ThrowIfBegun(string message)
    {
        if (_framing != Framing.Open)
            throw new InvalidOperationException(message);
    }

    public override void SetReadDeadline(TimeSpan fromNow) => exchange.SetDeadline(PollMode.Read, fromNow);

    public override void SetWriteDeadline(TimeSpan fromNow) => exchange.SetDeadline(PollMode.Write, fromNow);

    // ---- Content ----

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        PrepareFor(content.Length);
        if (_framing == Framing.Empty)
        {
            _written += content.Length;
            return default;
        }
        bool fits = _framing == Framing.Buffered ? _written + content.Length <= MaxBuffered : Output.Pending + content.Length <= MaxStreamed;
        if (!fits)
            return WriteLargeAsync(content);
        Append(content.Span);
        return default;
    }

    private void Append(ReadOnlySpan<byte> content)
    {
        OpenChunk();
        Output.Append(content);
        _written += content.Length;
    }

    private async ValueTask WriteLargeAsync(ReadOnlyMemory<byte> content)
    {
        await FlushAsync();
        if (content.Length < LargeWrite)
        {
            Append(content.Span);
            return;
        }
        BeginPiece(content.Length);
        await exchange.FlushAsync();
        await exchange.SendAsync(content);
        EndPiece();
    }

    // A piece of content that does not go through the buffer: a chunk of its own, or some bytes of the rest. One that is broken off breaks the
    // response, whatever the handler makes of the exception.
    private void BeginPiece(int length)
    {
        if (_framing == Framing.Chunked)
        {
            OpenChunk();
            FormatChunkSize(_chunk, length);
            _chunkOpen = false;
        }
        _written += length;
        _inPiece = true;
    }

    private void EndPiece()
    {
        _inPiece = false;
        if (_framing == Framing.Chunked)
            Output.Append("\r\n"u8);
    }

    public override async ValueTask SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        cancellationToken.ThrowIfCancellationRequested();
        if (!exchange.Transport.CanSendFile || count < LargeWrite)
        {
            await CopyFileAsync(file, offset, count, cancellationToken);
            return;
        }
        PrepareFor(count);
        if (_framing == Framing.Empty)
        {
            _written += count;
            return;
        }
        await FlushAsync(cancellationToken);
        while (count > 0)
        {
            int piece = (int)Math.Min(count, MaxFilePiece);
            BeginPiece(piece);
            await exchange.FlushAsync();
            await exchange.SendFileAsync(file, offset, piece, cancellationToken);
            EndPiece();
            offset += piece;
            count -= piece;
        }
    }

    private void PrepareFor(long count)
    {
        if (_framing == Framing.Open)
            WriteHeader(200);
        switch (_framing)
        {
            case Framing.Ended:
                throw new InvalidOperationException("The handler has ended: its response can no longer be written to.");
            case Framing.Empty when !exchange.Request.IsHead && count > 0:
                throw new InvalidOperationException($"A response with status {_status} to {exchange.Request.Method} has no content.");
            case Framing.Fixed when _written + count > _declared:
                MustClose = true;
                throw new InvalidOperationException($"The handler writes more content than the {_declared} bytes of its Content-Length.");
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        PrepareFor(0);
        OpenChunk();
        return Output.FreeMemory(Math.Max(sizeHint, 256));
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        PrepareFor(0);
        OpenChunk();
        return Output.Free(Math.Max(sizeHint, 256));
    }

    public override void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        PrepareFor(count);
        if (_framing != Framing.Empty)
            Output.Advance(count);
        _written += count;
    }

    // ---- Chunks ----

    private void OpenChunk()
    {
        if (_framing != Framing.Chunked || _chunkOpen)
            return;
        _chunk = Output.End;
        Output.Free(ChunkHeaderSize);
        Output.Advance(ChunkHeaderSize);
        _chunkOpen = true;
    }

    private void CloseChunk()
    {
        if (!_chunkOpen)
            return;
        _chunkOpen = false;
        int size = Output.End - _chunk - ChunkHeaderSize;
        if (size == 0)
        {
            Output.Truncate(_chunk); // a chunk of size 0 would be the last
            return;
        }
        FormatChunkSize(_chunk, size);
        Output.Append("\r\n"u8);
    }

    private void FormatChunkSize(int position, int size)
    {
        Span<byte> to = Output.At(position, ChunkHeaderSize);
        for (int i = 7; i >= 0; i--)
        {
            to[i] = "0123456789abcdef"u8[size & 15];
            size >>= 4;
        }
        to[8] = (byte)'\r';
        to[9] = (byte)'\n';
    }

    // ---- Deciding ----

    /// <summary>Content has to leave before its end is known.</summary>
    private void DecideToStream()
    {
        Request request = exchange.Request;
        if (_framing == Framing.Open)
            WriteHeader(200);
        if (_framing == Framing.Empty)
        {
            if (request.IsHead && _declared < 0)
            {
                Output.Append("\r\n"u8);
                _declared = 0;
            }
            return;
        }
        if (_framing != Framing.Buffered)
            return;
        Span<byte> gap = Output.At(_gap, GapSize);
        int used;
        if (request.IsHttp10)
        {
            ReadOnlySpan<byte> end = MustClose ? "\r\n"u8 : "Connection: close\r\n\r\n"u8;
            end.CopyTo(gap);
            used = end.Length;
            MustClose = true;
            _framing = Framing.UntilClose;
        }
        else
        {
            "Transfer-Encoding: chunked\r\n\r\n"u8.CopyTo(gap);
            used = 30 + ChunkHeaderSize;
            _framing = Framing.Chunked;
            _chunkOpen = true;
        }
        CloseGap(used);
        _chunk = _gap + 30;
    }

    // The content moves up to what was written into the gap.
    private void CloseGap(int used)
    {
        int length = Output.End - _gap - GapSize;
        Output.At(_gap + GapSize, length).CopyTo(Output.At(_gap + used, length));
        Output.Truncate(_gap + used + length);
    }

    public override ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (_framing == Framing.Ended)
            throw new InvalidOperationException("The handler has ended: its response can no longer be written to.");
        DecideToStream();
        CloseChunk();
        Started = true;
        return exchange.FlushAsync();
    }

    /// <summary>The handler has ended well. False when the response is not whole: the connection must break.</summary>
    public bool End()
    {
        if (_framing == Framing.Open)
            WriteHeader(_status);
        if (_inPiece)
            return false;
        bool hasTrailer = _trailer is { Count: > 0 };
        if (hasTrailer && _framing == Framing.Buffered && !exchange.Request.IsHttp10)
            DecideToStream();
        Framing framing = _framing;
        _framing = Framing.Ended;
        switch (framing)
        {
            case Framing.Buffered:
                Span<byte> gap = Output.At(_gap, GapSize);
                int used = 0;
                if (_announceKeepAlive)
                {
                    KeepAliveLine.CopyTo(gap);
                    used = KeepAliveLine.Length;
                }
                CloseGap(used + FormatLength(gap[used..], _written));
                return true;
            case Framing.Empty when exchange.Request.IsHead && _declared < 0 && _status is not (204 or 304):
                if (_written > 0)
                    EndHeadWithLength(_written, Framing.Ended);
                else
                    Output.Append("\r\n"u8);
                return true;
            case Framing.Fixed:
                return _written == _declared;
            case Framing.Chunked:
                CloseChunk();
                if (hasTrailer)
                    AppendTrailer(_trailer!);
                else
                    Output.Append("0\r\n\r\n"u8);
                return true;
            default:
                return true;
        }
    }

    private void AppendTrailer(HeaderFields trailer)
    {
        Output.Append("0\r\n"u8);
        for (int i = 0; i < trailer.Count; i++)
        {
            string name = trailer.NameAt(i);
            if (!HttpSyntax.IsForbiddenInTrailer(name))
                AppendField(name, trailer.ValueAt(i));
        }
        Output.Append("\r\n"u8);
    }

    /// <summary>Takes back a response that has not left: nothing has been written.</summary>
    public void Discard() => Output.Truncate(_start);

    /// <summary>Replaces a response that has not left by an error. False when it is too late.</summary>
    public bool TryReplaceByError(int status, string text, bool close)
    {
        if (Started)
            return false;
        Discard();
        _header.Clear();
        _trailer?.Clear();
        _inPiece = false;
        _framing = Framing.Open;
        _declared = -1;
        _written = 0;
        _chunkOpen = false;
        MustClose |= close;
        _header.Add("Content-Type", "text/plain; charset=utf-8");
        WriteHeader(status);
        if (_framing != Framing.Empty)
            Append(Encoding.UTF8.GetBytes(text));
        return End();
    }
}
