namespace NetGo;

/// <summary>Two observers in the place of one.</summary>
internal sealed class ObserverPair(SchedulerObserver first, SchedulerObserver second) : SchedulerObserver
{
    public override void Spawned(Goroutine g)
    {
        first.Spawned(g);
        second.Spawned(g);
    }

    public override void Ended(Goroutine g)
    {
        first.Ended(g);
        second.Ended(g);
    }

    public override void Runs(Goroutine g, Processor processor)
    {
        first.Runs(g, processor);
        second.Runs(g, processor);
    }

    public override void Parks(Goroutine g, WaitReason reason)
    {
        first.Parks(g, reason);
        second.Parks(g, reason);
    }

    public override void IsReady(Goroutine g)
    {
        first.IsReady(g);
        second.IsReady(g);
    }

    public override void Stolen(Goroutine g, Processor thief, Processor victim)
    {
        first.Stolen(g, thief, victim);
        second.Stolen(g, thief, victim);
    }

    public override void HandedOff(Processor processor, Machine from, HandOffReason reason)
    {
        first.HandedOff(processor, from, reason);
        second.HandedOff(processor, from, reason);
    }

    public override void EntersSyscall(Goroutine g)
    {
        first.EntersSyscall(g);
        second.EntersSyscall(g);
    }

    public override void ExitsSyscall(Goroutine g, bool lostProcessor)
    {
        first.ExitsSyscall(g, lostProcessor);
        second.ExitsSyscall(g, lostProcessor);
    }

    public override void ProcessorStarts(Processor processor, Machine machine)
    {
        first.ProcessorStarts(processor, machine);
        second.ProcessorStarts(processor, machine);
    }

    public override void ProcessorStops(Processor processor)
    {
        first.ProcessorStops(processor);
        second.ProcessorStops(processor);
    }

    public override void TimersFired(Processor processor, int count)
    {
        first.TimersFired(processor, count);
        second.TimersFired(processor, count);
    }

    public override void Polled(Processor processor, int ready)
    {
        first.Polled(processor, ready);
        second.Polled(processor, ready);
    }
}
