namespace NetGo;

/// <summary>Tells the event source of hand-offs and of what goroutines do.</summary>
internal sealed class GoroutineEvents(int scheduler) : HandOffEvents(scheduler)
{
    private readonly int _scheduler = scheduler;

    public override void Spawned(Goroutine g)
    {
        if (!g.IsBranch)
            SchedulerEventSource.Log!.GoroutineSpawn(_scheduler, g.Id, g.SpawnSite);
    }

    public override void Ended(Goroutine g)
    {
        if (!g.IsBranch)
            SchedulerEventSource.Log!.GoroutineEnd(_scheduler, g.Id);
    }

    public override void Parks(Goroutine g, WaitReason reason) => SchedulerEventSource.Log!.GoroutinePark(_scheduler, g, reason);

    public override void IsReady(Goroutine g) => SchedulerEventSource.Log!.GoroutineReady(_scheduler, g.Id);
}
