using NetGo;

namespace Concurrency;

internal static class Limits
{
    public static async Task MaxProcsAsync()
    {
        // snippet: options
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 2, MaxMachines = 100 });
        await scheduler.RunAsync(async () =>
        {
            Console.WriteLine(Go.MaxProcs);          // 2: Go stands for the scheduler of the running goroutine
            scheduler.MaxProcs = 4;                  // runtime.GOMAXPROCS(4)
            await Go.YieldAsync();
            Console.WriteLine(Go.MaxProcs);          // 4
            Console.WriteLine(Go.NumGoroutine);      // 1
        });
        // end
    }
}
