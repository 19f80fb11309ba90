namespace NetGo;

/// <summary>Nobody listens here.</summary>
internal sealed class SchedulerEvents
{
    public void OnSteal(GoroutineRef goroutine, int thief, int victim)
    {
    }
}
