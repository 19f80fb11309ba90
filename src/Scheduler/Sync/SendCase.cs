namespace NetGo;

/// <summary>A case of a <see cref="Select"/> that sends; Go's <c>case c &lt;- value</c>. Made by
/// <see cref="Select.Send{T}(Channel{T}?, T)"/>. Used by the select's goroutine only, while it does not wait.</summary>
public sealed class SendCase<T> : SelectCase
{
    private readonly ChannelCase<T> _waiter;
    private Channel<T> _channel = Channel<T>.Never;

    internal SendCase(Select select, int index, SendChannel<T> channel, T value)
        : base(select, index)
    {
        _waiter = new ChannelCase<T>(this);
        Channel = channel;
        Value = value;
    }

    /// <summary>Where it sends to; null or <see cref="Channel{T}.Never"/>, like Go's nil channel, for never.</summary>
    /// <exception cref="InvalidOperationException">It is set while a wait is under way.</exception>
    public SendChannel<T> Channel
    {
        get => _channel;
        set
        {
            Select.ThrowIfWaiting();
            _channel = value.Channel;
            ChannelId = _channel.Id;
        }
    }

    /// <summary>What it sends. Stays until it is changed.</summary>
    /// <exception cref="InvalidOperationException">It is set while a wait is under way.</exception>
    public T Value
    {
        get => _waiter.Value;
        set
        {
            Select.ThrowIfWaiting();
            _waiter.Value = value;
        }
    }

    internal override void Enter() => _channel.Enter();

    internal override void Exit() => _channel.Exit();

    internal override void TellObservers() => _channel.TellObservers();

    internal override bool TryLocked(out Goroutine? wake)
    {
        SendOutcome outcome = _channel.SendLocked(_waiter.Value, out wake);
        _waiter.Ok = outcome == SendOutcome.Sent;
        return outcome != SendOutcome.WouldWait;
    }

    internal override void EnqueueLocked() => _channel.EnqueueLocked(_waiter, ChannelOperationKind.Sends);

    internal override void Withdraw() => _channel.Withdraw(_waiter, ChannelOperationKind.Sends);

    internal override void ThrowIfFailed()
    {
        if (!_waiter.Ok)
            throw new ChannelClosedException();
    }
}
