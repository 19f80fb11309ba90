using NetGo;

namespace Concurrency;

internal static class Interop
{
    public static async Task TasksAsync()
    {
        // snippet: tasks
        var request = new AsyncLocal<string> { Value = "request 7" };
        async Task<string> ReadAsync()
        {
            await Task.Delay(1);                                             // any task: comes back to the scheduler
            Console.WriteLine(Thread.CurrentThread.IsThreadPoolThread);      // False
            return request.Value;
        }

        Console.WriteLine(await Go.RunAsync(ReadAsync));                     // request 7
        Console.WriteLine(ReadAsync().Result);                               // request 7: blocks, but never dead-locks
        await Task.Delay(100).ConfigureAwait(false);                         // leaves the scheduler
        Console.WriteLine(Thread.CurrentThread.IsThreadPoolThread);          // True
        // end
    }
}
