using System.Diagnostics.CodeAnalysis;

namespace NetGo;

/// <summary>The receiving side of a channel; Go's <c>&lt;-chan T</c>. A <see cref="Channel{T}"/> converts to it by itself, as in
/// Go; there is no way back. Costs nothing: it is the reference to the channel under another type. The default one is
/// <see cref="Channel{T}.Never"/>, Go's nil channel. Two are equal when their channels are the same.</summary>
public readonly record struct ReceiveChannel<T> : IAsyncEnumerable<T>
{
    private readonly Channel<T>? _channel;

    private ReceiveChannel(Channel<T>? channel) => _channel = channel;

    internal Channel<T> Channel => _channel ?? Channel<T>.Never;

    /// <inheritdoc cref="Channel{T}.Capacity"/>
    public int Capacity => Channel.Capacity;

    /// <inheritdoc cref="Channel{T}.Count"/>
    public int Count => Channel.Count;

    /// <summary>The receiving side of a channel; of none when it is null.</summary>
    /// <param name="channel">The channel.</param>
    public static implicit operator ReceiveChannel<T>(Channel<T>? channel) => new(channel is { IsNever: true } ? null : channel);

    /// <inheritdoc cref="Channel{T}.ReceiveAsync(CancellationToken)"/>
    public ValueTask<(T Value, bool Ok)> ReceiveAsync(CancellationToken cancellationToken = default) =>
        Channel.ReceiveAsync(cancellationToken);

    /// <inheritdoc cref="Channel{T}.TryReceive(out T)"/>
    public bool TryReceive([MaybeNullWhen(false)] out T value) => Channel.TryReceive(out value);

    /// <inheritdoc cref="Channel{T}.TryReceive(out T, out bool)"/>
    public bool TryReceive(out T value, out bool ok) => Channel.TryReceive(out value, out ok);

    /// <inheritdoc cref="Channel{T}.ReceiveAllAsync(CancellationToken)"/>
    public IAsyncEnumerable<T> ReceiveAllAsync(CancellationToken cancellationToken = default) =>
        Channel.ReceiveAllAsync(cancellationToken);

    /// <inheritdoc cref="Channel{T}.GetAsyncEnumerator(CancellationToken)"/>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Channel.GetAsyncEnumerator(cancellationToken);
}
