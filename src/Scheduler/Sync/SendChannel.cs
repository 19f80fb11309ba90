namespace NetGo;

/// <summary>The sending side of a channel; Go's <c>chan&lt;- T</c>. A <see cref="Channel{T}"/> converts to it by itself, as in
/// Go; there is no way back. Costs nothing: it is the reference to the channel under another type. The default one is
/// <see cref="Channel{T}.Never"/>, Go's nil channel. Two are equal when their channels are the same.</summary>
public readonly record struct SendChannel<T>
{
    private readonly Channel<T>? _channel;

    private SendChannel(Channel<T>? channel) => _channel = channel;

    internal Channel<T> Channel => _channel ?? Channel<T>.Never;

    /// <inheritdoc cref="Channel{T}.Capacity"/>
    public int Capacity => Channel.Capacity;

    /// <inheritdoc cref="Channel{T}.Count"/>
    public int Count => Channel.Count;

    /// <summary>The sending side of a channel; of none when it is null.</summary>
    /// <param name="channel">The channel.</param>
    public static implicit operator SendChannel<T>(Channel<T>? channel) => new(channel is { IsNever: true } ? null : channel);

    /// <inheritdoc cref="Channel{T}.SendAsync(T, CancellationToken)"/>
    public ValueTask SendAsync(T value, CancellationToken cancellationToken = default) => Channel.SendAsync(value, cancellationToken);

    /// <inheritdoc cref="Channel{T}.TrySend(T)"/>
    public bool TrySend(T value) => Channel.TrySend(value);

    /// <inheritdoc cref="Channel{T}.Close()"/>
    public void Close() => Channel.Close();
}
