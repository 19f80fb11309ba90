using NetGo;

namespace Concurrency;

internal static class Exceptions
{
    public static async Task UnhandledAsync()
    {
        // snippet: exceptions
        using var scheduler = new GoScheduler();
        Channel<Exception> reports = Channel.Make<Exception>(1);
        scheduler.UnhandledException += (_, report) => reports.TrySend(report.InnerException!);
        scheduler.Spawn(() => throw new IOException("nobody awaits this"));
        (Exception seen, _) = await reports.ReceiveAsync();
        Console.WriteLine(seen.Message);             // nobody awaits this
        // end
    }
}
