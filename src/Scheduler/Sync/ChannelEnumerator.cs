using System.Threading.Tasks.Sources;

namespace NetGo;

// The values of a channel for `await foreach`; enumerable and its enumerator in one object. Where a receive has to wait, the
// consumer awaits the operation on the channel's queue itself, by way of this object, which notes the value on the way back:
// an async iterator would add a hop and a state machine.
internal sealed class ChannelEnumerator<T> : IAsyncEnumerable<T>, IAsyncEnumerator<T>, IValueTaskSource<bool>
{
    private readonly Channel<T> _channel;
    private readonly CancellationToken _givenToken;
    private CancellationToken _token;
    private CancellationTokenSource? _both;
    private ChannelOperation<T>? _waiting;
    private T _current = default!;
    private int _taken;

    public ChannelEnumerator(Channel<T> channel, CancellationToken cancellationToken)
    {
        _channel = channel;
        _givenToken = cancellationToken;
        _token = cancellationToken;
    }

    public T Current => _current;

    // The first who enumerates gets this object.
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        ChannelEnumerator<T> enumerator = Interlocked.Exchange(ref _taken, 1) == 0 ? this : new(_channel, _givenToken);
        enumerator.AddToken(cancellationToken);
        return enumerator;
    }

    private void AddToken(CancellationToken another)
    {
        if (!another.CanBeCanceled || another == _token)
            return;
        if (!_token.CanBeCanceled)
        {
            _token = another;
            return;
        }
        _both = CancellationTokenSource.CreateLinkedTokenSource(_token, another);
        _token = _both.Token;
    }

    public ValueTask<bool> MoveNextAsync()
    {
        if (_waiting is not null)
            throw new InvalidOperationException("The enumerator is waiting for a value already.");
        if (_token.IsCancellationRequested)
            return ValueTask.FromCanceled<bool>(_token);
        ChannelOperation<T>? waiting = _channel.BeginReceive(out _current, out bool ok, _token);
        if (waiting is null)
            return new ValueTask<bool>(ok);
        _waiting = waiting;
        return new ValueTask<bool>(this, waiting.Token);
    }

    public ValueTask DisposeAsync()
    {
        _both?.Dispose();
        return default;
    }

    private ChannelOperation<T> Waiting =>
        _waiting ?? throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => Waiting.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        Waiting.OnCompleted(continuation, state, token, flags);

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        ChannelOperation<T> waiting = Waiting;
        _waiting = null;
        return waiting.Finish(token, out _current);
    }
}
