namespace NetGo.Diagnostics;

/// <summary>Who makes others wait for locks: the stacks of those that unlocked, with the time that others had waited until then. Off until a
/// fraction is set; Go's runtime.SetMutexProfileFraction.</summary>
public static class MutexProfile
{
    private static readonly BlockRecorder s_recorder = new(ofWaiter: false);

    /// <summary>Samples one in so many waits for a lock. 1 tells all, 0, the default, turns it off and forgets.</summary>
    /// <param name="oneIn">Not negative.</param>
    /// <param name="scheduler">Null for <see cref="GoScheduler.Default"/>. There is one profile for all.</param>
    public static void SetFraction(int oneIn, GoScheduler? scheduler = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oneIn);
        s_recorder.Set(scheduler ?? GoScheduler.Default, oneIn);
    }

    internal static Profile Snapshot() => s_recorder.Snapshot();
}
