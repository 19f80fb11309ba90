namespace NetGo;

/// <summary>A case of a <see cref="Select"/> that receives; Go's <c>case value, ok := &lt;-c</c>. Made by
/// <see cref="Select.Receive{T}(Channel{T}?)"/>. Used by the select's goroutine only, while it does not wait.</summary>
public sealed class ReceiveCase<T> : SelectCase
{
    private readonly ChannelCase<T> _waiter;
    private Channel<T> _channel = Channel<T>.Never;

    internal ReceiveCase(Select select, int index, ReceiveChannel<T> channel)
        : base(select, index)
    {
        _waiter = new ChannelCase<T>(this);
        Channel = channel;
    }

    /// <summary>Where it receives from; null or <see cref="Channel{T}.Never"/>, like Go's nil channel, for never.</summary>
    /// <exception cref="InvalidOperationException">It is set while a wait is under way.</exception>
    public ReceiveChannel<T> Channel
    {
        get => _channel;
        set
        {
            Select.ThrowIfWaiting();
            _channel = value.Channel;
            ChannelId = _channel.Id;
        }
    }

    /// <summary>What it received when it last happened; the default when the channel was closed.</summary>
    public T Value => _waiter.Value;

    /// <summary>Whether it received a value when it last happened; false when the channel was closed.</summary>
    public bool Ok => _waiter.Ok;

    internal override void Enter() => _channel.Enter();

    internal override void Exit() => _channel.Exit();

    internal override void TellObservers() => _channel.TellObservers();

    internal override bool TryLocked(out Goroutine? wake)
    {
        if (!_channel.ReceiveLocked(out T value, out bool ok, out wake))
            return false;
        _waiter.Value = value;
        _waiter.Ok = ok;
        return true;
    }

    internal override void EnqueueLocked() => _channel.EnqueueLocked(_waiter, ChannelOperationKind.Receives);

    internal override void Withdraw() => _channel.Withdraw(_waiter, ChannelOperationKind.Receives);

    internal override void ThrowIfFailed()
    {
    }
}
