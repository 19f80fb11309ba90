namespace NetGo;

/// <summary>Makes channels.</summary>
public static class Channel
{
    /// <summary>Makes a channel; Go's <c>make(chan T, capacity)</c>.</summary>
    /// <param name="capacity">How many values it keeps that nobody has received yet. With none, a send waits for a
    /// receiver.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is negative.</exception>
    public static Channel<T> Make<T>(int capacity = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        return new Channel<T>(capacity);
    }
}
