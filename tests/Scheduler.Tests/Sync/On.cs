namespace NetGo.Scheduler.Tests.Sync;

/// <summary>Runs a test's body as a goroutine on a scheduler of its own, with a bound on how long it may take.</summary>
internal static class On
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>The numbers of processors that every test is run with.</summary>
    public static TheoryData<int> ProcessorCounts => [1, 2, 4];

    public static Task Processors(int count, Func<Task> body) => Scheduler(Bounded.NewScheduler(count), body);

    /// <summary>Where no goroutine runs but when another lets it, however long that takes.</summary>
    public static Task OneProcessorWithoutTimeSlices(Func<Task> body) => Scheduler(Bounded.NewSchedulerWithoutTimeSlices(1), body);

    private static async Task Scheduler(GoScheduler scheduler, Func<Task> body)
    {
        using (scheduler)
        {
            await scheduler.RunAsync(body).WaitAsync(s_bound);
            Bounded.NoneLeft(scheduler);
        }
    }

    /// <summary>Lets the other goroutines run until something holds.</summary>
    public static async Task Until(Func<bool> condition)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 - start < s_bound.TotalMilliseconds, "What was waited for did not happen.");
            await Go.YieldAsync();
        }
    }
}
