using NetGo;

namespace Concurrency;

internal static class Time
{
    public static async Task TimersAsync()
    {
        // snippet: time
        await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        await Task.Delay(TimeSpan.FromMilliseconds(1), Go.TimeProvider);  // what takes a TimeProvider keeps the same time
        using GoTicker ticker = Go.NewTicker(TimeSpan.FromMilliseconds(1));
        await ticker.C.ReceiveAsync();                                    // <-ticker.C
        await Go.After(TimeSpan.FromMilliseconds(1)).ReceiveAsync();      // <-time.After(time.Millisecond)
        GoTimer alarm = Go.AfterFunc(TimeSpan.FromHours(1), () => Console.WriteLine("never"));
        Console.WriteLine(alarm.Stop());                                  // True: it had not fired
        // end
    }
}
