namespace NetGo;

/// <summary>A case of a <see cref="Select"/> that receives; Go's <c>case value, ok := &lt;-c</c>. Made by
/// <see cref="Select.Receive{T}(Channel{T}?)"/>. Used by the select's goroutine only, while it does not wait.</summary>
public sealed class ReceiveCase<T> : SelectCase
{
    private readonly ChannelWaiter<T> _waiter;
    private Channel<T>? _channel;

    internal ReceiveCase(Select select, int index, Channel<T>? channel)
        : base(select, index)
    {
        _waiter = new ChannelWaiter<T>(this);
        Channel = channel;
    }

    /// <summary>Where it receives from; null, like Go's nil channel, for never.</summary>
    public Channel<T>? Channel
    {
        get => _channel;
        set
        {
            Select.ThrowIfWaiting();
            _channel = value;
            ChannelId = value?.Id ?? 0;
        }
    }

    /// <summary>What it received when it last happened; the default when the channel was closed.</summary>
    public T Value => _waiter.Value;

    /// <summary>Whether it received a value when it last happened; false when the channel was closed.</summary>
    public bool Ok => _waiter.Ok;

    internal override void Enter() => _channel!.Enter();

    internal override void Exit() => _channel!.Exit();

    internal override bool TryLocked(out Goroutine? wake)
    {
        if (!_channel!.ReceiveLocked(out T value, out bool ok, out wake))
            return false;
        _waiter.Value = value;
        _waiter.Ok = ok;
        return true;
    }

    internal override void EnqueueLocked() => _channel!.EnqueueLocked(_waiter, sends: false);

    internal override void Withdraw() => _channel!.Withdraw(_waiter, sends: false);

    internal override void ThrowIfFailed()
    {
    }
}
