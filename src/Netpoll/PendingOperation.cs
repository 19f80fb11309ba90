using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace NetGo.Netpoll;

// A ReadAsync or WriteAsync that had to wait. A connection has at most one of each, made at its first wait and used again.
// It retries its system call each time it is woken, on the goroutine that parked, and calls the user's continuation when it
// has a result. Until then the operation is under way (NetSocket.BeginOperation).
internal sealed class PendingOperation(NetConnection connection, PollMode mode) : IValueTaskSource<int>, IValueTaskSource
{
    private static readonly Action<object?> s_retry = static operation => ((PendingOperation)operation!).Retry();
    private static readonly Action<object?> s_cancel = static operation => ((PendingOperation)operation!).Cancel();

    private Memory<byte> _buffer;
    private int _done;
    private short _version;
    private bool _awaited;
    private bool _onlyWaits;
    private Action<object?>? _continuation;
    private object? _state;
    private Exception? _error;
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;

    /// <summary>Waits until the buffer has been written, or something read into it. The caller has begun the operation, which ends here.</summary>
    public ValueTask<int> StartAsync(Memory<byte> buffer, CancellationToken token)
    {
        if (Start(buffer, onlyWaits: false, token))
            return new ValueTask<int>(this, _version);
        return _error is { } error ? ValueTask.FromException<int>(error) : new ValueTask<int>(_done);
    }

    /// <summary>Waits until the call is worth a try. The caller has begun the operation, which ends here.</summary>
    public ValueTask StartWaitAsync(CancellationToken token) => StartWithoutResultAsync(default, onlyWaits: true, token);

    /// <inheritdoc cref="StartAsync"/>
    public ValueTask StartWithoutResultAsync(Memory<byte> buffer, bool onlyWaits, CancellationToken token)
    {
        if (Start(buffer, onlyWaits, token))
            return new ValueTask(this, _version);
        return _error is { } error ? ValueTask.FromException(error) : default;
    }

    // False when the operation has come to its end without waiting.
    private bool Start(Memory<byte> buffer, bool onlyWaits, CancellationToken token)
    {
        _buffer = buffer;
        _token = token;
        _done = 0;
        _error = null;
        _awaited = false;
        _onlyWaits = onlyWaits;
        _version++;
        try
        {
            do
            {
                ValueTask<PollResult> wait = connection.WaitAsync(mode);
                if (!wait.IsCompleted)
                    return true;
                if (TryFinish(wait.Result))
                    break;
            }
            while (true);
        }
        catch
        {
            End();
            throw;
        }
        End();
        return false;
    }

    private void End()
    {
        _buffer = default;
        connection.EndOperation(mode);
    }

    private void Retry()
    {
        PollResult result = connection.Desc.TakeResult(mode);
        while (!TryFinish(result))
        {
            ValueTask<PollResult> wait = connection.WaitAsync(mode);
            if (!wait.IsCompleted)
            {
                connection.Desc.ParkCurrent(mode, s_retry, this);
                return;
            }
            result = wait.Result;
        }
        _registration.Dispose();
        _registration = default;
        connection.Desc.ClearCancelled(mode);
        Action<object?> continuation = _continuation!;
        object? state = _state;
        _continuation = null;
        _state = null;
        End();
        continuation(state);
    }

    // True when the operation has its result or error.
    private bool TryFinish(PollResult result)
    {
        if (result != PollResult.Ready)
        {
            _error = connection.ErrorOf(result, _token);
            return true;
        }
        if (_onlyWaits)
            return true;
        int n = mode == PollMode.Read ? connection.TryReadOrPeek(_buffer.Span) : connection.TryWrite(_buffer.Span);
        if (n == SystemSockets.WouldBlock)
            return false;
        if (n < 0)
        {
            _error = NetSocket.ErrorOf(-n, mode == PollMode.Read ? "read" : "write");
            return true;
        }
        _done += n;
        if (mode == PollMode.Read || n == _buffer.Length)
            return true;
        _buffer = _buffer[n..];
        return false;
    }

    private void Cancel() => connection.Desc.Cancel(mode);

    private void CheckVersion(short token)
    {
        if (token != _version)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its operation had completed.");
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        CheckVersion(token);
        if (!_awaited || _continuation is not null)
            return ValueTaskSourceStatus.Pending;
        return _error switch
        {
            null => ValueTaskSourceStatus.Succeeded,
            OperationCanceledException => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Faulted,
        };
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        CheckVersion(token);
        if (_awaited)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        _awaited = true;
        _continuation = continuation;
        _state = state;
        if (_token.CanBeCanceled)
            _registration = _token.UnsafeRegister(s_cancel, this);
        connection.Desc.ParkCurrent(mode, s_retry, this, flags);
    }

    public int GetResult(short token)
    {
        CheckVersion(token);
        if (!_awaited || _continuation is not null)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        if (_error is { } error)
        {
            _error = null;
            ExceptionDispatchInfo.Throw(error);
        }
        return _done;
    }

    void IValueTaskSource.GetResult(short token) => GetResult(token);
}
