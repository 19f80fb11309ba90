using System.Threading.Tasks.Sources;

namespace NetGo.Netpoll;

/// <summary>A ReadAsync or WriteAsync of a connection that had to wait.</summary>
internal sealed class StreamOperation(NetConnection connection, PollMode mode)
    : PendingOperation(connection, mode), IValueTaskSource<int>, IValueTaskSource
{
    private readonly NetConnection _connection = connection;

    private Memory<byte> _buffer;
    private int _done;
    private bool _onlyWaits;

    /// <summary>Waits until the buffer has been written, or something read into it. The caller has begun the operation.</summary>
    public ValueTask<int> StartAsync(Memory<byte> buffer, CancellationToken token)
    {
        if (Start(buffer, onlyWaits: false, token))
            return new ValueTask<int>(this, Version);
        return Failure is { } failure ? ValueTask.FromException<int>(failure) : new ValueTask<int>(_done);
    }

    /// <summary>Waits until the call is worth a try. The caller has begun the operation.</summary>
    public ValueTask StartWaitAsync(CancellationToken token) => StartWithoutResultAsync(default, onlyWaits: true, token);

    /// <inheritdoc cref="StartAsync"/>
    public ValueTask StartWithoutResultAsync(Memory<byte> buffer, bool onlyWaits, CancellationToken token)
    {
        if (Start(buffer, onlyWaits, token))
            return new ValueTask(this, Version);
        return Failure is { } failure ? ValueTask.FromException(failure) : default;
    }

    private bool Start(Memory<byte> buffer, bool onlyWaits, CancellationToken token)
    {
        Begin(token);
        _onlyWaits = onlyWaits;
        _buffer = buffer;
        _done = 0;
        return Wait();
    }

    protected override bool TryFinish()
    {
        if (_onlyWaits)
            return true;
        int n = Mode == PollMode.Read ? _connection.TryReadOrPeek(_buffer.Span) : _connection.TryWrite(_buffer.Span);
        if (n == SystemSockets.WouldBlock)
            return false;
        if (n < 0)
        {
            Failure = _connection.OperationErrorOf(-n, Mode == PollMode.Read ? "read" : "write");
            return true;
        }
        _done += n;
        if (Mode == PollMode.Read || n == _buffer.Length)
            return true;
        _buffer = _buffer[n..];
        return false;
    }

    protected override void DropArguments() => _buffer = default;

    public int GetResult(short token)
    {
        ThrowUnlessSucceeded(token);
        return _done;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);
}
