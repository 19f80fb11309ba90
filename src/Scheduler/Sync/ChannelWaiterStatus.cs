namespace NetGo;

/// <summary>What has become of a <see cref="ChannelWaiter{T}"/>.</summary>
internal enum ChannelWaiterStatus : byte
{
    /// <summary>In nobody's use, or a case whose select does not wait.</summary>
    Idle,

    /// <summary>On a queue of its channel.</summary>
    Queued,

    /// <summary>The value has changed hands.</summary>
    Exchanged,

    /// <summary>The channel was closed instead.</summary>
    Closed,

    /// <summary>Its token was cancelled first.</summary>
    Canceled,
}
