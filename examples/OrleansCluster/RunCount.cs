using NetGo;

namespace OrleansCluster;

/// <summary>Counts how often the scheduler has run a goroutine.</summary>
internal sealed class RunCount : SchedulerEvents
{
    private long _runs;

    public long Value => Interlocked.Read(ref _runs);

    /// <summary>Of the default scheduler, from now on.</summary>
    public static RunCount Start()
    {
        var count = new RunCount();
        GoScheduler.Default.Events = count;
        return count;
    }

    public override void OnRun(GoroutineRef goroutine, int processor) => Interlocked.Increment(ref _runs);
}
