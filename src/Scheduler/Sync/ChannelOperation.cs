using System.Threading.Tasks.Sources;

namespace NetGo;

// A send or receive that waits (or whose result is to be had by way of a yield); what its caller awaits.
//
// It is queued by the send or receive itself, not by the await: so the operation counts from the call on, in order. It goes
// through these states, all changes under the channel's lock:
//
//   Status      Parked
//   Queued      null       waits, not awaited yet
//   Queued      g          waits, awaited: who decides gets g to make ready
//   an outcome  null or g  decided; the result is taken on the thread that awaited it
//
// One that yields is nobody's but its caller's: it is decided from the start, says Pending until it is awaited, and then puts
// the goroutine at the end of the run queue.
//
// GetResult ends its life for the caller: the token changes, so that a second await of the same ValueTask throws, and the
// object goes back to the channel's one spare slot, else to a small pool of the thread.
internal class ChannelOperation<T> : ChannelWaiter<T>, IValueTaskSource, IValueTaskSource<(T Value, bool Ok)>, IValueTaskSource<bool>
{
    private const int ThreadPoolMax = 128;

    [ThreadStatic]
    private static ChannelOperation<T>? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    private ChannelOperationKind _kind;
    private short _token;
    private Channel<T>? _channel;
    private Goroutine? _parked;

    public short Token => _token;

    public ChannelOperationKind Kind => _kind;

    protected Channel<T> Channel => _channel!;

    public static ChannelOperation<T> RentFromThread()
    {
        ChannelOperation<T>? operation = t_free;
        if (operation is null)
            return new ChannelOperation<T>();
        t_free = (ChannelOperation<T>?)operation.Next;
        t_freeCount--;
        operation.Next = null;
        return operation;
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

    public void Prepare(Channel<T> channel, ChannelOperationKind kind)
    {
        _channel = channel;
        _kind = kind;
    }

    public override Goroutine? Complete(ChannelWaiterStatus outcome)
    {
        Goroutine? g = _parked;
        Status = outcome;
        return g;
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        if ((_kind & ChannelOperationKind.Yields) != 0)
            return ValueTaskSourceStatus.Pending;
        return Status switch
        {
            ChannelWaiterStatus.Exchanged => ValueTaskSourceStatus.Succeeded,
            ChannelWaiterStatus.Closed when (_kind & ChannelOperationKind.Sends) == 0 => ValueTaskSourceStatus.Succeeded,
            ChannelWaiterStatus.Closed => ValueTaskSourceStatus.Faulted,
            ChannelWaiterStatus.Canceled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Pending,
        };
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_parked is not null)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        if ((_kind & ChannelOperationKind.Yields) != 0)
            Yield(continuation, state, flags);
        else
            Wait(continuation, state, flags);
    }

    private void Yield(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        _kind &= ~ChannelOperationKind.Yields;
        Goroutine g = Goroutine.Park(continuation, state, WaitReason.Yield, flags);
        _parked = g;
        g.Scheduler.Ready(g, next: false);
    }

    private void Wait(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        Channel<T> channel = _channel!;
        Goroutine g = Goroutine.Park(continuation, state, WaitReasonOf(channel), flags);
        channel.Enter();
        bool decided = Status != ChannelWaiterStatus.Queued;
        if (!decided)
            _parked = g;
        channel.Exit();
        if (decided)
            g.Scheduler.Ready(g, next: true);
    }

    private WaitReason WaitReasonOf(Channel<T> channel)
    {
        if (channel.IsNever)
            return WaitReason.Forever;
        const ChannelOperationKind sender = ChannelOperationKind.Sends | ChannelOperationKind.AwaitsRoom;
        return (_kind & sender) != 0 ? WaitReason.ChannelSend : WaitReason.ChannelReceive;
    }

    /// <summary>Ends it: gives it back, and says whether a value changed hands, which is in <paramref name="value"/>.</summary>
    public bool Finish(short token, out T value)
    {
        Check(token);
        ChannelWaiterStatus status = Status;
        if (status is ChannelWaiterStatus.Queued or ChannelWaiterStatus.Idle)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        value = Value;
        _token++;
        _parked = null;
        Value = default!;
        Status = ChannelWaiterStatus.Idle;
        Release(status);
        return status == ChannelWaiterStatus.Exchanged;
    }

    /// <summary>The last step: to whoever needs one next. Throws when it was cancelled.</summary>
    protected virtual void Release(ChannelWaiterStatus outcome) => _channel!.Return(this);

    private void Check(short token)
    {
        if (token != _token)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
    }

    void IValueTaskSource.GetResult(short token)
    {
        if (!Finish(token, out _))
            throw new ChannelClosedException();
    }

    (T Value, bool Ok) IValueTaskSource<(T Value, bool Ok)>.GetResult(short token)
    {
        bool ok = Finish(token, out T value);
        return (value, ok);
    }

    bool IValueTaskSource<bool>.GetResult(short token) => Finish(token, out _);
}
