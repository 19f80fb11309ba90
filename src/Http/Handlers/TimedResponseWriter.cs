using System.Buffers;

namespace NetGo.Http;

/// <summary>Keeps an answer until it is known whether it comes in time.</summary>
internal sealed class TimedResponseWriter(bool isHead) : ResponseWriter
{
    private readonly ArrayBufferWriter<byte> _content = new();
    private KeyValuePair<string, string>[]? _fields;
    private int _status = 200;
    private volatile bool _tooLate;

    /// <summary>Set by another goroutine than the handler's: nothing that it writes will be sent.</summary>
    public bool IsTooLate
    {
        get => _tooLate;
        set => _tooLate = value;
    }

    public override HeaderFields Header { get; } = new();

    public override int StatusCode => _status;

    public override bool HeaderWritten => _fields is not null;

    public override void WriteHeader(int statusCode)
    {
        if (statusCode is < 200 or > 999)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of a final response is from 200 to 999.");
        ThrowIfTooLate();
        if (_fields is not null)
            return;
        _status = statusCode;
        _fields = [.. Header];
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Prepare();
        if (_status is 204 or 304 && !isHead && !content.IsEmpty)
            throw new InvalidOperationException($"A response with status {_status} has no content.");
        _content.Write(content.Span);
        return default;
    }

    public override ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Prepare();
        return default;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Prepare();
        return _content.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Prepare();
        return _content.GetSpan(sizeHint);
    }

    public override void Advance(int count)
    {
        ThrowIfTooLate();
        _content.Advance(count);
    }

    private void Prepare()
    {
        ThrowIfTooLate();
        if (_fields is null)
            WriteHeader(200);
    }

    private void ThrowIfTooLate()
    {
        if (_tooLate)
            throw new TimeoutException("The time for the handler has passed: the client has got its answer.");
    }

    /// <summary>Hands the answer on: the handler has ended in time. Its fields take the place of those of the same names.</summary>
    public ValueTask SendAsync(ResponseWriter response)
    {
        KeyValuePair<string, string>[] fields = _fields ?? [.. Header];
        foreach ((string name, _) in fields)
            response.Header.Remove(name);
        foreach ((string name, string value) in fields)
            response.Header.Add(name, value);
        response.WriteHeader(_status);
        return _content.WrittenCount > 0 ? response.WriteAsync(_content.WrittenMemory) : default;
    }
}
