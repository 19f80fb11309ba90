namespace NetGo;

/// <summary>Nobody watches here.</summary>
internal sealed class SchedulerObserver
{
    public void Stolen(Goroutine g, Processor thief, Processor victim)
    {
    }

    public void ProcessorStarts(Processor processor, Machine machine)
    {
    }

    public void ProcessorStops(Processor processor)
    {
    }

    public void TimersFired(Processor processor, int count)
    {
    }

    public void Polled(Processor processor, int ready)
    {
    }
}
