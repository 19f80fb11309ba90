namespace NetGo;

// Who is told by the scheduler's own code what it does, on any of its threads and several at once. There is one or none: several that want
// to know share a place by ObserverPair. It must not throw, block, or use the scheduler.
//
// Each call comes before others can see what it tells of: that a goroutine is ready before it is on a queue, that it parks before it
// can be made ready. So, by one clock, the times at which they come are in the order of cause and effect.
internal abstract class SchedulerObserver
{
    public virtual void Spawned(Goroutine g)
    {
    }

    public virtual void Ended(Goroutine g)
    {
    }

    /// <summary>On the machine that is about to run it, which is pinned.</summary>
    public virtual void Runs(Goroutine g, Processor processor)
    {
    }

    /// <summary>On the thread whose code parks. That goes on, without a goroutine, until it returns to the machine.</summary>
    public virtual void Parks(Goroutine g, WaitReason reason)
    {
    }

    public virtual void IsReady(Goroutine g)
    {
    }

    public virtual void Stolen(Goroutine g, Processor thief, Processor victim)
    {
    }

    /// <summary>Sysmon has taken the processor from a machine, and not given it to the next yet.</summary>
    public virtual void HandedOff(Processor processor, Machine from, HandOffReason reason)
    {
    }

    public virtual void EntersSyscall(Goroutine g)
    {
    }

    public virtual void ExitsSyscall(Goroutine g, bool lostProcessor)
    {
    }

    /// <summary>A machine begins to use a processor, on the thread of either.</summary>
    public virtual void ProcessorStarts(Processor processor, Machine machine)
    {
    }

    /// <summary>The machine that holds a processor is about to sleep in its poller, or to give it up; on its thread.</summary>
    public virtual void ProcessorStops(Processor processor)
    {
    }

    /// <summary>Timers of a processor have fired, on the machine that holds it.</summary>
    public virtual void TimersFired(Processor processor, int count)
    {
    }

    /// <summary>A poller has been asked, by the owner of its processor.</summary>
    /// <param name="processor">The processor.</param>
    /// <param name="ready">How many goroutines that made ready.</param>
    public virtual void Polled(Processor processor, int ready)
    {
    }
}
