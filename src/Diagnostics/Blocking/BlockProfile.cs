namespace NetGo.Diagnostics;

/// <summary>Where goroutines wait for others: for channels, locks, groups, tasks, and for how long. Off until a rate is set; Go's
/// runtime.SetBlockProfileRate. Waits for the network and sleeps do not count.</summary>
public static class BlockProfile
{
    private static readonly BlockRecorder s_recorder = new(ofWaiter: true);

    /// <summary>Samples one wait in so many nanoseconds waited, on average; each one that is longer is told. 1 tells all, 0, the default,
    /// turns it off and forgets.</summary>
    /// <param name="nanoseconds">Not negative.</param>
    /// <param name="scheduler">Null for <see cref="GoScheduler.Default"/>. There is one profile for all.</param>
    public static void SetRate(long nanoseconds, GoScheduler? scheduler = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        s_recorder.Set(scheduler ?? GoScheduler.Default, nanoseconds);
    }

    internal static Profile Snapshot() => s_recorder.Snapshot();
}
