namespace NetGo;

public static partial class Go
{
    /// <summary>Says by when the running goroutine should have done what it does: <see cref="DeadlineFirstPolicy"/> lets who is
    /// most urgent run first. It stays until it is set again. Other policies may ignore it.</summary>
    /// <param name="fromNow">How long from now; <see cref="Timeout.InfiniteTimeSpan"/> for no deadline any more.</param>
    /// <exception cref="InvalidOperationException">No goroutine runs here.</exception>
    public static void SetDeadline(TimeSpan fromNow)
    {
        if (Machine.OfThisThread?.Current is not { } g)
            throw new InvalidOperationException("SetDeadline needs a goroutine: call it where one runs, before anything that it has not awaited yet.");
        (g.Root ?? g).Extras.Deadline = g.Scheduler.TimeAfter(fromNow);
    }
}
