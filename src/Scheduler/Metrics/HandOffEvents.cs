namespace NetGo;

/// <summary>Tells the event source of hand-offs.</summary>
internal class HandOffEvents(int scheduler) : SchedulerObserver
{
    public sealed override void HandedOff(Processor processor, Machine from, HandOffReason reason) =>
        SchedulerEventSource.Log!.HandOff(scheduler, processor, from, reason);
}
