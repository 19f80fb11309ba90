using NetGo;

namespace Profiles;

/// <summary>Goroutines that hold a lock for long.</summary>
internal static class Contention
{
    private static readonly GoMutex s_mutex = new();

    public static async Task RunAsync()
    {
        while (true)
        {
            await s_mutex.LockAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(5));
            s_mutex.Unlock();
        }
    }
}
