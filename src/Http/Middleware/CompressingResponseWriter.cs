using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

// A response whose content may be compressed. What becomes of it is decided as late as needed:
//
//   Open         nothing has been written; fields may still be set
//   Held         the head is fixed and the content could be compressed, but is shorter than the minimum yet: it is held back
//   Plain        all goes on to the inner response as it is
//   Compressed   all goes through the compressor, what comes out of it lies in _output until the next call that may wait
//   Discarded    as Compressed, in answer to HEAD: the fields are those of GET, and there is no content
//
// Open becomes Plain, Held or Compressed when the head is fixed, Held becomes Compressed when it has the minimum or is flushed, and Plain
// when the handler ends before that.
internal sealed class CompressingResponseWriter(
    ResponseWriter inner, Request request, CompressionOptions options, string? coding, bool refusesIdentity) : DelegatingResponseWriter(inner)
{
    private const int MaxPiece = 32 * 1024;

    // Made when they are needed: most responses are Plain.
    private ArrayBufferWriter<byte>? _held;
    private ArrayBufferWriter<byte>? _advance; // what is written without waiting: the inner buffer is for what is compressed
    private MemoryStream? _output;
    private State _state;
    private int _status = 200;
    private KeyValuePair<string, string>[]? _fixedFields;
    private Stream? _compressor;

    private enum State
    {
        Open,
        Held,
        Plain,
        Compressed,
        Discarded,
    }

    public override int StatusCode => _state == State.Open ? Inner.StatusCode : _status;

    public override bool HeaderWritten => _state != State.Open || Inner.HeaderWritten;

    public override void WriteHeader(int statusCode)
    {
        if (statusCode is < 200 or > 999)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of a final response is from 200 to 999.");
        if (_state != State.Open)
            return;
        _status = statusCode;
        if (!MayBeCompressed(statusCode))
        {
            Inner.WriteHeader(statusCode);
            _state = State.Plain;
        }
        else if (Length() is not { } length)
        {
            _fixedFields = [.. Header];
            _state = State.Held;
        }
        else if (length > 0 && (refusesIdentity || length >= options.MinimumSize))
        {
            Compress();
        }
        else
        {
            Inner.WriteHeader(statusCode);
            _state = State.Plain;
        }
    }

    // ---- Deciding ----

    private bool MayBeCompressed(int status)
    {
        if (status == 304)
        {
            VaryField.AddAcceptEncoding(Header);
            WeakenIfAskedSo();
            return false;
        }
        if (status is 204 or 205 or 206 or 416 || Header.Contains("Content-Encoding") || Header.Contains("Content-Range"))
            return false;
        string type = Header.Get("Content-Type") ?? "";
        int parameters = type.IndexOf(';', StringComparison.Ordinal);
        if (!options.MediaTypes.Contains((parameters < 0 ? type : type[..parameters]).Trim()))
            return false;
        foreach (string value in Header.GetAll("Cache-Control"))
        {
            if (value.Contains("no-transform", StringComparison.OrdinalIgnoreCase))
                return false;
        }
        // Also for a client that gets it as it is: the next one may not.
        VaryField.AddAcceptEncoding(Header);
        return coding is not null;
    }

    private long? Length() =>
        Header.Get("Content-Length") is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long length) ? length : null;

    // A cache that has the compressed content knows it by its weak tag, and by that one alone brings it up to date.
    private void WeakenIfAskedSo()
    {
        if (Header.Get("ETag") is not { } tag || EntityTag.IsWeak(tag))
            return;
        foreach (string list in request.Header.GetAll("If-None-Match"))
        {
            if (list.Contains("W/" + tag, StringComparison.Ordinal))
                Header.Set("ETag", "W/" + tag);
        }
    }

    private void RestoreFields()
    {
        if (_fixedFields is not { } fields)
            return;
        _fixedFields = null;
        Header.Clear();
        foreach ((string name, string value) in fields)
            Header.Add(name, value);
    }

    private void Compress()
    {
        RestoreFields();
        Header.Set("Content-Encoding", coding!);
        Header.Remove("Content-Length");
        Header.Remove("Accept-Ranges"); // of the content as it is, and the client has another
        if (Header.Get("ETag") is { } tag && !EntityTag.IsWeak(tag))
            Header.Set("ETag", "W/" + tag);
        Inner.WriteHeader(_status);
        if (request.IsHead)
        {
            _state = State.Discarded;
            return;
        }
        _state = State.Compressed;
        _output = new MemoryStream();
        _compressor = coding == "br"
            ? new BrotliStream(_output, options.Level, leaveOpen: true)
            : new GZipStream(_output, options.Level, leaveOpen: true);
        if (_held is { } held)
            _compressor.Write(held.WrittenSpan);
        _held = null;
    }

    private void Pass()
    {
        RestoreFields();
        Inner.WriteHeader(_status);
        _state = State.Plain;
    }

    // ---- Content ----

    private void Take(ReadOnlySpan<byte> content)
    {
        if (_state == State.Held)
        {
            ArrayBufferWriter<byte> held = _held ??= new ArrayBufferWriter<byte>();
            held.Write(content);
            if (held.WrittenCount >= options.MinimumSize || (refusesIdentity && held.WrittenCount > 0))
                Compress();
        }
        else if (_state == State.Compressed)
        {
            _compressor!.Write(content);
        }
    }

    private async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        if (_output is not { Length: > 0 } output)
            return;
        await Inner.WriteAsync(output.GetBuffer().AsMemory(0, (int)output.Length), cancellationToken);
        output.SetLength(0);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        if (_state == State.Open)
            WriteHeader(200);
        return _state == State.Plain ? Inner.WriteAsync(content, cancellationToken) : WritePiecesAsync(content, cancellationToken);
    }

    // In pieces, so that what comes out has not to be kept as a whole.
    private async ValueTask WritePiecesAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (!content.IsEmpty)
        {
            ReadOnlyMemory<byte> piece = content[..Math.Min(content.Length, MaxPiece)];
            Take(piece.Span);
            content = content[piece.Length..];
            await DrainAsync(cancellationToken);
        }
    }

    public override ValueTask WriteAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_state == State.Open)
            WriteHeader(200);
        return _state == State.Plain ? Inner.WriteAsync(text, cancellationToken) : WritePiecesAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
    }

    public override ValueTask SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default)
    {
        if (_state == State.Open)
            WriteHeader(200);
        return _state == State.Plain
            ? Inner.SendFileAsync(file, offset, count, cancellationToken)
            : CopyFileAsync(file, offset, count, cancellationToken);
    }

    public override async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_state == State.Open)
            WriteHeader(200);
        if (_state == State.Held)
            Compress();
        if (_state == State.Compressed)
        {
            _compressor!.Flush();
            await DrainAsync(cancellationToken);
        }
        await Inner.FlushAsync(cancellationToken);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_state == State.Open)
            WriteHeader(200);
        return _state == State.Plain ? Inner.GetMemory(sizeHint) : (_advance ??= new ArrayBufferWriter<byte>()).GetMemory(Math.Max(sizeHint, 256));
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => _state == State.Plain ? Inner.GetSpan(sizeHint) : GetMemory(sizeHint).Span;

    public override void Advance(int count)
    {
        if (_advance is not { } buffer || _state == State.Plain)
        {
            Inner.Advance(count);
            return;
        }
        buffer.Advance(count);
        Take(buffer.WrittenSpan);
        buffer.ResetWrittenCount();
    }

    /// <summary>The handler has ended well.</summary>
    public async ValueTask EndAsync()
    {
        if (_state == State.Open && !Inner.HeaderWritten)
            WriteHeader(Inner.StatusCode);
        if (_state == State.Held)
            Pass();
        if (_state == State.Plain && _held is { } held)
            await Inner.WriteAsync(held.WrittenMemory);
        if (_state != State.Compressed)
            return;
        _compressor!.Dispose();
        await DrainAsync(CancellationToken.None);
    }

    /// <summary>Gives the compressor's memory back, whatever became of the response.</summary>
    public void Release() => _compressor?.Dispose();
}
