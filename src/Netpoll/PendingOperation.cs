using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace NetGo.Netpoll;

// An operation that had to wait. A socket has at most one of each kind, made at its first wait and used again. It retries its
// system call each time it is woken, on the goroutine that parked, and calls the user's continuation when it has a result. Until
// then the operation is under way: NetSocket.BeginOperation has been called by who starts it, and keeps all others out.
//
// What a kind adds is its arguments, the system call (TryFinish), and the result. It is started by Begin, then its arguments are
// set, then Wait.
internal abstract class PendingOperation(NetSocket socket, PollMode mode) : IContinuationWrapper
{
    private static readonly Action<object?> s_retry = static operation => ((PendingOperation)operation!).Retry();
    private static readonly Action<object?> s_cancel = static operation => ((PendingOperation)operation!).Cancel();

    private bool _awaited;
    private Action<object?>? _continuation;
    private object? _state;
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;

    object? IContinuationWrapper.Argument => _state;

    protected PollMode Mode => mode;

    /// <summary>Of the ValueTask under way.</summary>
    protected short Version { get; private set; }

    /// <summary>Why it failed; null when it has not.</summary>
    protected Exception? Failure { get; set; }

    /// <summary>Makes the system call. True when the operation has its result, or <see cref="Failure"/>; false when it has to
    /// wait.</summary>
    protected abstract bool TryFinish();

    /// <summary>The user's memory is no longer used.</summary>
    protected abstract void DropArguments();

    /// <summary>The caller has begun the operation in this direction (<see cref="NetSocket.BeginOperation"/>), which ends here.</summary>
    protected void Begin(CancellationToken token)
    {
        _token = token;
        _awaited = false;
        Failure = null;
        Version++;
    }

    /// <summary>False when the operation has come to its end without waiting.</summary>
    protected bool Wait()
    {
        try
        {
            do
            {
                ValueTask<PollResult> wait = socket.WaitAsync(mode);
                if (!wait.IsCompleted)
                    return true;
                if (HasEnded(wait.Result))
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
        DropArguments();
        socket.EndOperation(mode);
    }

    private void Retry()
    {
        PollResult result = socket.Desc.TakeResult(mode);
        while (!HasEnded(result))
        {
            ValueTask<PollResult> wait = socket.WaitAsync(mode);
            if (!wait.IsCompleted)
            {
                socket.Desc.ParkCurrent(mode, s_retry, this);
                return;
            }
            result = wait.Result;
        }
        _registration.Dispose();
        _registration = default;
        socket.Desc.ClearCancelled(mode);
        Action<object?> continuation = _continuation!;
        object? state = _state;
        _continuation = null;
        _state = null;
        End();
        continuation(state);
    }

    private bool HasEnded(PollResult result)
    {
        if (result == PollResult.Ready)
            return TryFinish();
        Failure = socket.ErrorOf(result, _token);
        return true;
    }

    private void Cancel() => socket.Desc.Cancel(mode);

    private void CheckVersion(short token)
    {
        if (token != Version)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its operation had completed.");
    }

    // ---- What all of IValueTaskSource's forms share ----

    public ValueTaskSourceStatus GetStatus(short token)
    {
        CheckVersion(token);
        if (!_awaited || _continuation is not null)
            return ValueTaskSourceStatus.Pending;
        return Failure switch
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
        socket.Desc.ParkCurrent(mode, s_retry, this, flags);
    }

    /// <summary>For GetResult: throws what it failed with.</summary>
    protected void ThrowUnlessSucceeded(short token)
    {
        CheckVersion(token);
        if (!_awaited || _continuation is not null)
        {
            throw new InvalidOperationException(
                "A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        }
        if (Failure is { } failure)
        {
            Failure = null;
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
