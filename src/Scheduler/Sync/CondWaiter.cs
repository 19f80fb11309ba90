using System.Threading.Tasks.Sources;

namespace NetGo;

// Someone who waits on a Cond: first for the signal, then for the mutex. Only then does what awaited it go on. One goroutine at a
// time has it, so nothing here is guarded; the waits in it are.
internal sealed class CondWaiter(Cond cond) : IValueTaskSource
{
    private static readonly Action<object?> s_resume = static waiter => ((CondWaiter)waiter!).Resume();

    private GrantWaiter? _signal;

    /// <summary>The second wait; null before it, and when the mutex was free.</summary>
    private MutexWaiter? _relock;
    private bool _signalled;
    private short _token;
    private ValueTaskSourceOnCompletedFlags _flags;
    private Action<object?>? _continuation;
    private object? _state;

    /// <summary>What the caller awaits.</summary>
    public ValueTask WaitAsync(GrantWaiter signal, CancellationToken cancellationToken)
    {
        _signal = signal;
        signal.Begin(cancellationToken);
        return new ValueTask(this, _token);
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        if (!_signalled || _relock?.GetStatus(_relock.Token) == ValueTaskSourceStatus.Pending)
            return ValueTaskSourceStatus.Pending;
        return _signal!.GetStatus(_signal.Token);
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_continuation is not null)
            throw Waiter.AwaitedTwice();
        _continuation = continuation;
        _state = state;
        _flags = flags;
        _signal!.OnCompleted(s_resume, this, _signal.Token, flags);
    }

    private void Resume()
    {
        Action<object?> continuation = _continuation!;
        object? state = _state;
        _continuation = null;
        _state = null;
        _signalled = true;
        if (cond.Mutex.TryTake(ofWoken: false))
        {
            continuation(state);
            return;
        }
        _relock = MutexWaiter.Rent(cond.Mutex, yields: false, CancellationToken.None);
        _relock.OnCompleted(continuation, state, _relock.Token, _flags);
    }

    public void GetResult(short token)
    {
        if (GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw Waiter.NotCompleted();
        _relock?.GetResult(_relock.Token);
        GrantWaiter signal = _signal!;
        _token++;
        _signal = null;
        _relock = null;
        _signalled = false;
        cond.Return(this);
        signal.GetResult(signal.Token);
    }

    private void Check(short token)
    {
        if (token != _token)
            throw Waiter.TokenExpired();
    }
}
