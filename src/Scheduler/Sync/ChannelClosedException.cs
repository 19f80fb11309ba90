namespace NetGo;

/// <summary>A send on a closed channel, or its second close: what Go panics for.</summary>
public sealed class ChannelClosedException : InvalidOperationException
{
    /// <summary>Makes one with a message that fits all cases.</summary>
    public ChannelClosedException()
        : this("The channel is closed. Only its sender should close it, once, when it has sent everything.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public ChannelClosedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public ChannelClosedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
