// Runs every snippet of docs/concurrency.md and compares what it prints. The documents show the regions between "// snippet: NAME"
// and "// end" of these files; tests/Scheduler.Tests/DocumentationTests.cs holds them to it.
using Concurrency;
using NetGo;

TextWriter console = Console.Out;
int failures = 0;

await RunAsync("readme", Spawning.ReadmeAsync, "0", "1", "16", "25", "36", "4", "49", "64", "81", "9");
await RunAsync("spawn", Spawning.SpawnAsync, "6");
await RunAsync("hand-off", Blocking.HandOffAsync, "True", "True");
await RunAsync("blocking", Blocking.DeclaredAsync, "read on this thread", "True");
await RunAsync("channels", Channels.RangeAsync, "1", "2", "3", "0 False");
await RunAsync("directions", Channels.DirectionsAsync, "(49, True)");
await RunAsync("adapters", Channels.AdaptersAsync, "(7, True)", "from .NET");
await RunAsync("select", Selecting.FirstAsync, "3");
await RunAsync("select-timeout", Selecting.TimeOutAsync, "False", "-1", "True");
await RunAsync("mutex", Synchronization.MutexAsync, "100");
await RunAsync("semaphore", Synchronization.SemaphoreAsync, "False", "True False", "made once", "pooled");
await RunAsync("time", Time.TimersAsync, "True");
await RunAsync("context", Contexts.TreeAsync, "hello, gopher", "True, the client has gone");
await RunAsync("scope", Scopes.ScopeAsync, "3", "TaskPath=fetch/right: stops", "fetch/left: no answer");
await RunAsync("errgroup", Scopes.ErrGroupAsync, "part 3 is missing, True");
await RunAsync("exceptions", Exceptions.UnhandledAsync, "nobody awaits this");
await RunAsync("tasks", Interop.TasksAsync, "False", "request 7", "False", "request 7", "True");
await RunAsync("options", Limits.MaxProcsAsync, "2", "4", "1");
await RunAsync("events", Observing.EventsAsync, "10", "20", "30", "4 spawned");
await RunAsync("explore", Testing.ExploreAsync, "counted 1");
await RunAsync("virtual-time", Testing.VirtualTimeAsync, "1", "01:00:00");
await RunAsync("leaks", Testing.LeaksAsync, "ChannelReceive");
return failures == 0 ? 0 : 1;

// In a goroutine, as the documents say.
async Task RunAsync(string name, Func<Task> snippet, params string[] expected)
{
    using var printed = new StringWriter();
    Console.SetOut(printed);
    string outcome = "ok";
    try
    {
        await Go.RunAsync(snippet).WaitAsync(TimeSpan.FromMinutes(1));
        string[] lines = printed.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        if (name == "readme")
            Array.Sort(lines, StringComparer.Ordinal); // in the order of arrival
        if (!lines.SequenceEqual(expected))
            outcome = $"FAILED: it printed {string.Join(" | ", lines)}, not {string.Join(" | ", expected)}";
    }
    catch (Exception e)
    {
        outcome = $"FAILED: {e}";
    }
    Console.SetOut(console);
    if (outcome != "ok")
        failures++;
    Console.WriteLine($"{name}: {outcome}");
}
