using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace NetGo.Http.Testing;

/// <summary>Keeps what a handler answers, for tests; Go's httptest.ResponseRecorder. It refuses what the server refuses. Not
/// thread-safe.
/// </summary>
/// <param name="request">What is answered: a response to HEAD has no content. Null for any other method.</param>
public sealed class ResponseRecorder(Request? request = null) : ResponseWriter
{
    private readonly bool _isHead = request is { Method: "HEAD" };
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly List<int> _informational = [];
    private KeyValuePair<string, string>[] _sent = [];
    private HeaderFields? _trailer;
    private int _status = 200;
    private bool _headerWritten;
    private bool _ended;
    private long _declared = -1;
    private long _written;

    /// <inheritdoc/>
    public override HeaderFields Header { get; } = new();

    /// <inheritdoc/>
    public override HeaderFields Trailer => _trailer ??= new HeaderFields();

    /// <inheritdoc/>
    public override int StatusCode => _status;

    /// <inheritdoc/>
    public override bool HeaderWritten => _headerWritten;

    /// <summary>The content that has been written so far. That of a response to HEAD is empty, as the server sends
    /// none.</summary>
    public ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    /// <summary><see cref="Body"/>, which is UTF-8.</summary>
    public string BodyText => Encoding.UTF8.GetString(_body.WrittenSpan);

    /// <summary>Whether the handler has called <see cref="FlushAsync"/>.</summary>
    public bool Flushed { get; private set; }

    /// <summary>The status codes of the informational responses before this one.</summary>
    public IReadOnlyList<int> InformationalStatusCodes => _informational;

    private bool IsEmpty => _isHead || _status is 204 or 304;

    /// <inheritdoc/>
    public override void WriteHeader(int statusCode)
    {
        if (statusCode is < 200 or > 999)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of a final response is from 200 to 999.");
        ThrowIfEnded();
        if (_headerWritten)
            return;
        if (Header["Content-Length"] is { } length &&
            !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out _declared))
            throw new InvalidOperationException($"The handler has set Content-Length to \"{length}\", which is no length.");
        _status = statusCode;
        _headerWritten = true;
        _sent = [.. Header];
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        PrepareFor(content.Length);
        if (!IsEmpty)
            _body.Write(content.Span);
        _written += content.Length;
        return default;
    }

    /// <inheritdoc/>
    public override ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        PrepareFor(0);
        Flushed = true;
        return default;
    }

    private void PrepareFor(long count)
    {
        ThrowIfEnded();
        if (!_headerWritten)
            WriteHeader(200);
        if (IsEmpty && !_isHead && count > 0)
            throw new InvalidOperationException($"A response with status {_status} has no content.");
        if (!IsEmpty && _declared >= 0 && _written + count > _declared)
            throw new InvalidOperationException($"The handler writes more content than the {_declared} bytes of its Content-Length.");
    }

    private void ThrowIfEnded()
    {
        if (_ended)
            throw new InvalidOperationException("The handler has ended: its response can no longer be written to.");
    }

    /// <inheritdoc/>
    public override ValueTask WriteInformationalAsync(int statusCode, CancellationToken cancellationToken = default)
    {
        if (statusCode is < 102 or > 199)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of an informational response is from 102 to 199.");
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (_headerWritten)
            throw new InvalidOperationException("An informational response comes before the head of the final one.");
        _informational.Add(statusCode);
        return default;
    }

    /// <summary>Does nothing: there is no client to wait for.</summary>
    /// <inheritdoc/>
    public override void SetReadDeadline(TimeSpan fromNow)
    {
    }

    /// <summary>Does nothing: there is no client to wait for.</summary>
    /// <inheritdoc/>
    public override void SetWriteDeadline(TimeSpan fromNow)
    {
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        PrepareFor(0);
        return _body.GetMemory(sizeHint);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        PrepareFor(0);
        return _body.GetSpan(sizeHint);
    }

    /// <inheritdoc/>
    public override void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        PrepareFor(count);
        if (!IsEmpty)
            _body.Advance(count);
        _written += count;
    }

    /// <summary>The response as a client gets it, after the handler has ended, with the fields that were set when its head was
    /// written; Go's
    /// Result. Nothing can be written any more.</summary>
    /// <exception cref="InvalidOperationException">The handler has written less than its Content-Length: the server would break
    /// the
    /// connection.</exception>
    public HttpResponseMessage Result()
    {
        if (!_headerWritten)
            WriteHeader(_status);
        if (!IsEmpty && _declared >= 0 && _written != _declared)
        {
            throw new InvalidOperationException(
                $"The handler has written {_written} bytes and not the {_declared} of its Content-Length: the server would abort the connection.");
        }
        _ended = true;
        var result = new HttpResponseMessage((HttpStatusCode)_status) { Content = new ByteArrayContent(_body.WrittenSpan.ToArray()) };
        foreach ((string name, string value) in _sent)
        {
            if (!result.Headers.TryAddWithoutValidation(name, value))
                result.Content.Headers.TryAddWithoutValidation(name, value);
        }
        foreach ((string name, string value) in _trailer ?? [])
        {
            if (!HttpSyntax.IsForbiddenInTrailer(name))
                result.TrailingHeaders.TryAddWithoutValidation(name, value);
        }
        return result;
    }
}
