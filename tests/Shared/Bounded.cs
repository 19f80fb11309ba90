namespace NetGo.Tests;

/// <summary>Waits that end with a failed test, never with a hung one.</summary>
internal static class Bounded
{
    /// <summary>Longer on Windows' API: under Wine each wait and each wake is a round trip to another process.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(OperatingSystem.IsWindows() ? 60 : 30);

    /// <summary>For what a machine has to work at.</summary>
    public static readonly TimeSpan StressLimit = 3 * Limit;

    public static Task Within(this Task task) => task.WaitAsync(Limit);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Limit);

    public static void Until(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Limit), $"Not in time: {what}");

    public static GoScheduler NewScheduler(int processors) => NewScheduler(new SchedulerOptions { MaxProcs = processors });

    public static GoScheduler NewScheduler(SchedulerOptions options) => new(options);

    /// <summary>One in which nobody takes the processor of a goroutine that runs for long: it has to let the others run itself.</summary>
    public static GoScheduler NewSchedulerWithoutTimeSlices(int processors) =>
        NewScheduler(new SchedulerOptions { MaxProcs = processors, Policy = new EndlessTimeSlice() });

    internal sealed class EndlessTimeSlice : SchedulingPolicy
    {
        public override TimeSpan TimeSlice => Timeout.InfiniteTimeSpan;

        public override SchedulingOrder? CreateOrder(int processor) => null;
    }

    /// <summary>All goroutines have ended and are counted so.</summary>
    public static void NoneLeft(GoScheduler scheduler)
    {
        if (!SpinWait.SpinUntil(() => scheduler.GoroutineCount == 0 && scheduler.Goroutines().Count == 0, Limit))
            throw new GoroutineLeakException(scheduler.Goroutines());
    }
}
