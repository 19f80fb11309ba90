namespace NetGo;

// Who listens to an event source in the same process runs in the midst of the scheduler. What it makes the scheduler do there is not told: it would
// be told for ever.

/// <summary>Tells the event source of hand-offs.</summary>
internal class HandOffEvents(int scheduler) : SchedulerObserver
{
    [ThreadStatic]
    private static bool t_telling;

    protected int Number => scheduler;

    public sealed override void HandedOff(Processor processor, Machine from, HandOffReason reason)
    {
        if (!TryBegin())
            return;
        SchedulerEventSource.Log!.HandOff(scheduler, processor, from, reason);
        End();
    }

    protected static bool TryBegin() => !t_telling && (t_telling = true);

    protected static void End() => t_telling = false;
}
