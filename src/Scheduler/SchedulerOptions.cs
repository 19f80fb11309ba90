namespace NetGo;

/// <summary>How a <see cref="GoScheduler"/> is made.</summary>
public sealed class SchedulerOptions
{
    /// <summary>The number of processors: how many goroutines run at the same time. The default is the number of cores that
    /// the process may use (CPU affinity and container limits are respected), or the environment variable
    /// <c>NETGO_MAXPROCS</c>. Go's GOMAXPROCS.</summary>
    public int MaxProcs { get; set; } = DefaultMaxProcs();

    /// <summary>The clock of sleeps and deadlines. The default is the system's monotonic clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    private static int DefaultMaxProcs() =>
        int.TryParse(Environment.GetEnvironmentVariable("NETGO_MAXPROCS"), out int n) && n > 0 ? n : Environment.ProcessorCount;
}
