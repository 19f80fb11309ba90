namespace NetGo.Http;

/// <summary>How slow a client may be. Only the time counts for which the server waits for it. It may be late by
/// <see cref="GracePeriod"/> in all; each byte gives it back as much time as it may take at this rate, up to the time-out of that
/// direction, so that a fast beginning does not buy hours. What .NET calls MinDataRate elsewhere, but for that last rule.</summary>
public sealed class MinDataRate
{
    /// <summary>Makes one.</summary>
    /// <param name="bytesPerSecond">What is expected, positive.</param>
    /// <param name="gracePeriod">For how long the server waits in any case, positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is not positive.</exception>
    public MinDataRate(double bytesPerSecond, TimeSpan gracePeriod)
    {
        if (!(bytesPerSecond > 0) || !double.IsFinite(bytesPerSecond))
            throw new ArgumentOutOfRangeException(nameof(bytesPerSecond), bytesPerSecond, "A rate is positive; null is for none.");
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(gracePeriod, TimeSpan.Zero);
        BytesPerSecond = bytesPerSecond;
        GracePeriod = gracePeriod;
    }

    /// <summary>What is expected.</summary>
    public double BytesPerSecond { get; }

    /// <summary>For how long the server waits in any case.</summary>
    public TimeSpan GracePeriod { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{BytesPerSecond:0.##} bytes/s after {GracePeriod.TotalSeconds:0.##} s";
}
