namespace NetGo;

/// <summary>Tells the event source of hand-offs and of what goroutines do.</summary>
internal sealed class GoroutineEvents(int scheduler) : HandOffEvents(scheduler)
{
    public override void Spawned(Goroutine g)
    {
        if (g.IsBranch || !TryBegin())
            return;
        SchedulerEventSource.Log!.GoroutineSpawn(Number, g.Id, g.SpawnSite);
        End();
    }

    public override void Ended(Goroutine g)
    {
        if (g.IsBranch || !TryBegin())
            return;
        SchedulerEventSource.Log!.GoroutineEnd(Number, g.Id);
        End();
    }

    public override void Parks(Goroutine g, WaitReason reason)
    {
        if (!TryBegin())
            return;
        SchedulerEventSource.Log!.GoroutinePark(Number, g, reason);
        End();
    }

    public override void IsReady(Goroutine g)
    {
        if (!TryBegin())
            return;
        SchedulerEventSource.Log!.GoroutineReady(Number, g.Id);
        End();
    }
}
