namespace NetGo;

/// <summary>Tells the user's <see cref="SchedulerEvents"/>. What that throws is reported.</summary>
internal sealed class EventsObserver(GoScheduler scheduler, SchedulerEvents events) : SchedulerObserver
{
    public SchedulerEvents Events => events;

    public override void Spawned(Goroutine g)
    {
        if (!g.IsBranch)
            Tell(static (events, g) => events.OnSpawn(new GoroutineRef(g)), g);
    }

    public override void Ended(Goroutine g)
    {
        if (!g.IsBranch)
            Tell(static (events, g) => events.OnEnd(new GoroutineRef(g)), g);
    }

    public override void Runs(Goroutine g, Processor processor) =>
        Tell(static (events, told) => events.OnRun(new GoroutineRef(told.g), told.Index), (g, processor.Index));

    public override void Parks(Goroutine g, WaitReason reason) =>
        Tell(static (events, told) => events.OnPark(new GoroutineRef(told.g), told.reason), (g, reason));

    public override void IsReady(Goroutine g) => Tell(static (events, g) => events.OnReady(new GoroutineRef(g)), g);

    public override void Stolen(Goroutine g, Processor thief, Processor victim) =>
        Tell(static (events, told) => events.OnSteal(new GoroutineRef(told.g), told.Thief, told.Victim), (g, Thief: thief.Index, Victim: victim.Index));

    public override void HandedOff(Processor processor, Machine from, HandOffReason reason) =>
        Tell(static (events, told) => events.OnHandOff(told.Index, told.reason), (processor.Index, reason));

    public override void EntersSyscall(Goroutine g) => Tell(static (events, g) => events.OnSyscallEnter(new GoroutineRef(g)), g);

    public override void ExitsSyscall(Goroutine g, bool lostProcessor) =>
        Tell(static (events, told) => events.OnSyscallExit(new GoroutineRef(told.g), told.lostProcessor), (g, lostProcessor));

    private void Tell<T>(Action<SchedulerEvents, T> call, T what)
    {
        try
        {
            call(events, what);
        }
        catch (Exception e)
        {
            scheduler.Report(new UnhandledGoroutineException($"{events.GetType()}, which listens to the scheduler's events, has thrown: {e.Message}", e));
        }
    }
}
