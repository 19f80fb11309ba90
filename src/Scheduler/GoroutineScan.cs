namespace NetGo;

// Since when goroutines wait. A look at the clock at each park would cost more than the park; so, as in Go, where the collector does it,
// a scan now and then stamps those that wait and have no stamp, and to run takes the stamp off again.
internal static class GoroutineScan
{
    // A stamp counts tenths of a second, in 31 bits: 6 years. The bit above says that the wait has been reported.
    private const long NanosecondsPerStamp = 100_000_000;
    private const uint Reported = 1u << 31;

    /// <summary>A time of the scheduler's clock as a stamp; never 0.</summary>
    public static uint Stamp(long now) => (uint)(now / NanosecondsPerStamp % (Reported - 1)) + 1;

    /// <summary>How long ago a stamp was made; null for none.</summary>
    public static TimeSpan? Since(uint stamp, uint now) =>
        stamp == 0 ? null : TimeSpan.FromTicks(((long)now - (stamp & ~Reported) + (Reported - 1)) % (Reported - 1) * (NanosecondsPerStamp / 100));

    /// <summary>Stamps those that wait and have no stamp.</summary>
    public static void StampWaiting(GoScheduler scheduler)
    {
        uint now = Stamp(scheduler.Now());
        foreach (Goroutine g in scheduler.AllGoroutines)
            g.StampIfWaiting(now);
    }

    /// <summary>Marks a stamp as reported.</summary>
    public static uint AsReported(uint stamp) => stamp | Reported;

    public static bool IsReported(uint stamp) => (stamp & Reported) != 0;
}
