namespace NetGo;

// A send or receive that a token can end. The token's callback may run on any thread at any time until it has been
// unregistered. It withdraws the operation under the channel's lock if it is still queued, so a value that was handed over
// before is kept, and one that was not goes to somebody else.
//
// Unregistering does not wait for a callback that is running. So one that cannot be unregistered is never used again: its
// callback finds it not queued, and the garbage collector gets it.
internal sealed class CancellableChannelOperation<T> : ChannelOperation<T>
{
    private const int ThreadPoolMax = 32;

    private static readonly Action<object?> s_cancel =
        static operation => ((CancellableChannelOperation<T>)operation!).Cancel();

    [ThreadStatic]
    private static CancellableChannelOperation<T>? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    private CancellationToken _cancellationToken;
    private CancellationTokenRegistration _registration;

    public override ChannelWaiter<T>? Previous { get; set; }

    public static CancellableChannelOperation<T> Rent()
    {
        CancellableChannelOperation<T>? operation = t_free;
        if (operation is null)
            return new CancellableChannelOperation<T>();
        t_free = (CancellableChannelOperation<T>?)operation.Next;
        t_freeCount--;
        operation.Next = null;
        return operation;
    }

    /// <summary>Once it is queued, outside the channel's lock: the callback runs at once when the token is cancelled
    /// already.</summary>
    public void Watch(CancellationToken cancellationToken)
    {
        _cancellationToken = cancellationToken;
        _registration = cancellationToken.UnsafeRegister(s_cancel, this);
    }

    private void Cancel()
    {
        Goroutine? g = Channel.Cancel(this);
        g?.Scheduler.Ready(g, next: false);
    }

    protected override void Release(ChannelWaiterStatus outcome)
    {
        CancellationToken token = _cancellationToken;
        bool unregistered = _registration.Unregister();
        _registration = default;
        _cancellationToken = default;
        if (unregistered && t_freeCount < ThreadPoolMax)
        {
            Next = t_free;
            t_free = this;
            t_freeCount++;
        }
        if (outcome == ChannelWaiterStatus.Canceled)
            throw new OperationCanceledException(token);
    }
}
