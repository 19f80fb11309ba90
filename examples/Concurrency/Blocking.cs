using NetGo;

namespace Concurrency;

internal static class Blocking
{
    public static async Task HandOffAsync()
    {
        // snippet: hand-off
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1 });
        using var released = new ManualResetEventSlim();

        Task<bool> blocks = scheduler.RunAsync(() => Task.FromResult(released.Wait(60_000))); // holds its thread
        scheduler.Spawn(() => released.Set());          // needs the only processor, and gets it
        Console.WriteLine(await blocks);                // True
        Console.WriteLine(scheduler.HandOffCount > 0);  // True
        // end
    }

    public static async Task DeclaredAsync()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "read on this thread");
        // snippet: blocking
        Go.LockOSThread();                                                   // for code that keeps state per thread
        int thread = Environment.CurrentManagedThreadId;
        Console.WriteLine(Go.Blocking(() => File.ReadAllText(path)));        // declared: found sooner
        await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        Console.WriteLine(thread == Environment.CurrentManagedThreadId);     // True
        Go.UnlockOSThread();
        // end
        File.Delete(path);
    }
}
