using Microsoft.Extensions.Logging;

namespace NetGo;

internal static partial class SchedulerLog
{
    [LoggerMessage(1, LogLevel.Warning, "{Count} goroutines spawned at {SpawnSite} have waited for longer than {Limit} [{State}]. The first of them:\n{Stack}")]
    public static partial void LongWait(ILogger logger, int count, string spawnSite, TimeSpan limit, string state, string stack);

    [LoggerMessage(2, LogLevel.Warning,
        "All goroutines are asleep - deadlock! They have been for {Time}, and wait for each other, or for a thread that runs none.\n{Goroutines}")]
    public static partial void Deadlock(ILogger logger, TimeSpan time, string goroutines);
}
