using System.Text;
using NetGo;

namespace Concurrency;

internal static class Synchronization
{
    public static async Task MutexAsync()
    {
        // snippet: mutex
        var mutex = new GoMutex();
        var group = new WaitGroup();
        int count = 0;
        for (int i = 0; i < 100; i++)
        {
            group.Go(async () =>
            {
                using (await mutex.LockScopeAsync())         // or LockAsync and Unlock
                    count++;
            });
        }
        await group.WaitAsync();
        Console.WriteLine(count);                            // 100
        // end
    }

    public static async Task SemaphoreAsync()
    {
        // snippet: semaphore
        var units = new GoSemaphore(10);
        await units.AcquireAsync(7);
        Console.WriteLine(units.TryAcquire(4));              // False

        var mutex = new RWMutex();
        await mutex.RLockAsync();
        Console.WriteLine($"{mutex.TryRLock()} {mutex.TryLock()}");   // True False: readers share it

        var settings = new OnceValue<string>(() => "made once");
        Console.WriteLine(await settings.GetAsync());        // made once

        var builders = new Pool<StringBuilder>(() => new StringBuilder());
        StringBuilder builder = builders.Get();
        Console.WriteLine(builder.Append("pooled"));         // pooled
        builders.Put(builder.Clear());
        // end
    }
}
