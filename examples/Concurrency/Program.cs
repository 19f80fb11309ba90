// Runs every snippet of docs/concurrency.md and compares what it prints. The documents show the regions between "// snippet: NAME"
// and "// end" of these files; tests/Scheduler.Tests/DocumentationTests.cs holds them to it.
using Concurrency;
using NetGo.Examples;

var snippets = new Snippets();

await snippets.RunUnorderedAsync("readme", Spawning.ReadmeAsync, "0", "1", "16", "25", "36", "4", "49", "64", "81", "9");
await snippets.RunAsync("spawn", Spawning.SpawnAsync, "6");
await snippets.RunAsync("hand-off", Blocking.HandOffAsync, "True", "True");
await snippets.RunAsync("blocking", Blocking.DeclaredAsync, "read on this thread", "True");
await snippets.RunAsync("channels", Channels.RangeAsync, "1", "2", "3", "0 False");
await snippets.RunAsync("directions", Channels.DirectionsAsync, "(49, True)");
await snippets.RunAsync("adapters", Channels.AdaptersAsync, "(7, True)", "from .NET");
await snippets.RunAsync("select", Selecting.FirstAsync, "3");
await snippets.RunAsync("select-timeout", Selecting.TimeOutAsync, "False", "-1", "True");
await snippets.RunAsync("mutex", Synchronization.MutexAsync, "100");
await snippets.RunAsync("semaphore", Synchronization.SemaphoreAsync, "False", "True False", "made once", "pooled");
await snippets.RunAsync("time", Time.TimersAsync, "True");
await snippets.RunAsync("context", Contexts.TreeAsync, "hello, gopher", "True, the client has gone");
await snippets.RunAsync("scope", Scopes.ScopeAsync, "3", "TaskPath=fetch/right: stops", "fetch/left: no answer");
await snippets.RunAsync("errgroup", Scopes.ErrGroupAsync, "part 3 is missing, True");
await snippets.RunAsync("exceptions", Exceptions.UnhandledAsync, "nobody awaits this");
await snippets.RunAsync("tasks", Interop.TasksAsync, "False", "request 7", "False", "request 7", "True");
await snippets.RunAsync("options", Limits.MaxProcsAsync, "2", "4", "1");
await snippets.RunAsync("events", Observing.EventsAsync, "10", "20", "30", "4 spawned");
await snippets.RunAsync("explore", Testing.ExploreAsync, "counted 1");
await snippets.RunAsync("virtual-time", Testing.VirtualTimeAsync, "1", "01:00:00");
await snippets.RunAsync("leaks", Testing.LeaksAsync, "ChannelReceive");
return snippets.ExitCode;
