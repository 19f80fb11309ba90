namespace NetGo;

/// <summary>What all who wait for a lock, a signal or the like have in common: a place on a <see cref="WaiterQueue{T}"/>, a token
/// against a second await, and a cancellation that takes them off the queue.</summary>
internal abstract class Waiter
{
    private short _token;
    private CancellationTokenRegistration _registration;

    /// <summary>Its neighbours on the queue that it is on; guarded by that queue's lock. The first of the two also links the
    /// free list of a thread.</summary>
    public Waiter? Next;
    public Waiter? Previous;

    /// <summary>Whether it is on a queue; guarded by that queue's lock.</summary>
    public bool Queued;

    public short Token => _token;

    /// <summary>What cancels the wait, from <see cref="RegisterCancellation"/> on.</summary>
    protected CancellationToken CancellationToken { get; set; }

    /// <summary>Withdraws the wait. Called by the token's thread, under no lock, at most once, possibly at once.</summary>
    protected abstract void Cancel();

    protected void RegisterCancellation()
    {
        if (CancellationToken.CanBeCanceled)
            _registration = CancellationToken.UnsafeRegister(static waiter => ((Waiter)waiter!).Cancel(), this);
    }

    protected OperationCanceledException Cancelled() => new(CancellationToken);

    protected void Check(short token)
    {
        if (token != _token)
            throw TokenExpired();
    }

    public static InvalidOperationException TokenExpired() =>
        new("A ValueTask was awaited twice, or after its result was taken.");

    public static InvalidOperationException AwaitedTwice() => new("A ValueTask was awaited twice.");

    public static InvalidOperationException NotCompleted() =>
        new("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");

    /// <summary>Its result has been taken.</summary>
    /// <returns>Whether it may be used again: not when a cancellation that came too late may still be looking at it.</returns>
    protected bool End()
    {
        _token++;
        if (!CancellationToken.CanBeCanceled)
            return true;
        bool calledOff = _registration.Unregister();
        CancellationToken = default;
        _registration = default;
        return calledOff;
    }
}
