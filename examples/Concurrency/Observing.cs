using NetGo;

namespace Concurrency;

internal static class Observing
{
    // snippet: events
    private sealed class Counter : SchedulerEvents
    {
        private int _spawned;

        public override void OnSpawn(GoroutineRef goroutine) => Interlocked.Increment(ref _spawned);

        public override string ToString() => $"{_spawned} spawned";
    }
    // end

    public static async Task EventsAsync()
    {
        // snippet: events
        var counter = new Counter();
        var policy = new DeadlineFirstPolicy(timeSlice: TimeSpan.FromMinutes(1));
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Policy = policy }) { Events = counter };
        await scheduler.RunAsync(async () =>
        {
            var group = new WaitGroup();
            foreach (int seconds in new[] { 30, 10, 20 })
            {
                group.Go(async () =>
                {
                    Go.SetDeadline(TimeSpan.FromSeconds(seconds));
                    await Go.YieldAsync();
                    Console.WriteLine(seconds);      // 10, 20, 30
                });
            }
            await group.WaitAsync();
        });
        Console.WriteLine(counter);                  // 4 spawned
        // end
    }
}
