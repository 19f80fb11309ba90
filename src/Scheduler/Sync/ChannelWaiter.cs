namespace NetGo;

/// <summary>Someone on a queue of a channel, with the value that changes hands; Go's sudog. Either a
/// <see cref="ChannelOperation{T}"/> or a case of a select (<see cref="ChannelCase{T}"/>). All of it is guarded by the
/// channel's lock while it is queued.</summary>
internal abstract class ChannelWaiter<T>
{
    /// <summary>The one behind it; the tail's is the head.</summary>
    public ChannelWaiter<T>? Next;

    /// <summary>Sender: what to send. Receiver: what was received.</summary>
    public T Value = default!;

    private volatile ChannelWaiterStatus _status;

    /// <summary>Written last by who decides: whoever sees an outcome sees the value too.</summary>
    public ChannelWaiterStatus Status
    {
        get => _status;
        set => _status = value;
    }

    /// <summary>The one before it, null for the head. Kept only by those who may have to leave from the middle, so that the
    /// many who never do are small; for them it is always null.</summary>
    public virtual ChannelWaiter<T>? Previous
    {
        get => null;
        set { }
    }

    /// <summary>By who took it off the queue: false when the wait has been decided elsewhere, and it is to be dropped.</summary>
    public virtual bool TryClaim() => true;

    /// <summary>The last step of who has claimed it, with the value written. Returns the goroutine to make ready after the
    /// lock; null when it has not parked yet.</summary>
    /// <param name="outcome">What has become of it.</param>
    public abstract Goroutine? Complete(ChannelWaiterStatus outcome);
}
