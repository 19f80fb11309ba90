using System.Threading.Tasks.Sources;

namespace NetGo;

// Someone who waits on a channel, with the value that changes hands; Go's sudog. Either a send or receive of its own, and
// then it is what the caller awaits, or a case of a select.
//
// It is queued by the send or receive itself, not by the await: so the operation counts from the call on, in order. One of
// its own goes through these states, all changes under the channel's lock:
//
//   Queued   Completed   Parked
//   true     false       null       waits, not awaited yet
//   true     false       g          waits, awaited: who completes it gets g to make ready
//   false    true        null or g  completed; the result is taken on the thread that awaited it
//
// GetResult ends its life for the caller: the token changes, so that a second await of the same ValueTask throws, and the
// object goes back to the channel's one spare slot, else to a small pool of the thread.
internal sealed class ChannelWaiter<T> : IValueTaskSource, IValueTaskSource<(T Value, bool Ok)>
{
    private const int ThreadPoolMax = 128;

    [ThreadStatic]
    private static ChannelWaiter<T>? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    public ChannelWaiter<T>? Next;
    public ChannelWaiter<T>? Previous;

    /// <summary>The case of a select that it stands for; null for a send or receive of its own.</summary>
    public readonly SelectCase? Case;

    /// <summary>Sender: what to send. Receiver: what was received.</summary>
    public T Value = default!;

    /// <summary>Whether the value changed hands; false when the channel was closed instead.</summary>
    public bool Ok;

    public bool Queued;

    private bool _completed;
    private bool _sends;
    private short _token;
    private Channel<T>? _channel;
    private Goroutine? _parked;

    public ChannelWaiter(SelectCase? selectCase) => Case = selectCase;

    public short Token => _token;

    public static ChannelWaiter<T> RentFromThread()
    {
        ChannelWaiter<T>? waiter = t_free;
        if (waiter is null)
            return new ChannelWaiter<T>(null);
        t_free = waiter.Next;
        t_freeCount--;
        waiter.Next = null;
        return waiter;
    }

    public void ReturnToThread()
    {
        if (t_freeCount >= ThreadPoolMax)
            return;
        _channel = null;
        Next = t_free;
        t_free = this;
        t_freeCount++;
    }

    public void Prepare(Channel<T> channel, bool sends)
    {
        _channel = channel;
        _sends = sends;
    }

    /// <summary>The last step of whoever took it from the queue, under the channel's lock: value and outcome are written.
    /// Returns the goroutine to make ready after the lock; null when it has not parked yet.</summary>
    public Goroutine? Complete()
    {
        if (Case is not null)
            return Case.Select.TakeParked();
        Goroutine? g = _parked;
        Volatile.Write(ref _completed, true);
        return g;
    }

    private ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        if (!Volatile.Read(ref _completed))
            return ValueTaskSourceStatus.Pending;
        return _sends && !Ok ? ValueTaskSourceStatus.Faulted : ValueTaskSourceStatus.Succeeded;
    }

    private void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_parked is not null)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        Channel<T> channel = _channel!;
        Goroutine g = Goroutine.Park(continuation, state, _sends ? WaitReason.ChannelSend : WaitReason.ChannelReceive, flags);
        channel.Enter();
        bool completed = _completed;
        if (!completed)
            _parked = g;
        channel.Exit();
        if (completed)
            g.Scheduler.Ready(g, next: true);
    }

    /// <summary>Gives it back; the fields that the result is in have been read.</summary>
    private void Finish(short token)
    {
        Check(token);
        if (!Volatile.Read(ref _completed))
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        _token++;
        _completed = false;
        _parked = null;
        Value = default!;
        _channel!.Return(this);
    }

    private void Check(short token)
    {
        if (token != _token)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<(T Value, bool Ok)>.GetStatus(short token) => GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<(T Value, bool Ok)>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token)
    {
        bool sent = Ok;
        Finish(token);
        if (!sent)
            throw new ChannelClosedException();
    }

    (T Value, bool Ok) IValueTaskSource<(T Value, bool Ok)>.GetResult(short token)
    {
        (T Value, bool Ok) result = (Value, Ok);
        Finish(token);
        return result;
    }
}
