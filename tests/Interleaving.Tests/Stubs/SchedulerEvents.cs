namespace NetGo;

/// <summary>Nobody listens here.</summary>
internal sealed class SchedulerEvents
{
    public void Stolen(Goroutine g, int thief, int victim)
    {
    }
}
