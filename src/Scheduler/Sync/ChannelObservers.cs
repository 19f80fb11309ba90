namespace NetGo;

/// <summary>Those who want to know what happens on a channel without taking part in it: readers and writers of
/// System.Threading.Channels. Guarded by the channel's lock.</summary>
internal sealed class ChannelObservers<T>
{
    /// <summary>Wait until there is a value, or the channel is closed.</summary>
    public ChannelWaiterQueue<T> AwaitValue;

    /// <summary>Wait until a send would not wait, or the channel is closed.</summary>
    public ChannelWaiterQueue<T> AwaitRoom;

    /// <summary>For the time when the channel is closed and empty; null when nobody has asked.</summary>
    public TaskCompletionSource? Drained;

    /// <summary>For the time when the channel is closed; null when nobody has asked.</summary>
    public CancellationTokenSource? Closed;

    /// <summary>What the channel was closed for.</summary>
    public Exception? Error;
}
