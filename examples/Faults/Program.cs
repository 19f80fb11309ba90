// A server with a fault, under load, of which a trace is taken: for practice in reading traces. docs/observability.md finds each fault.
//
//   Faults FAULT FILE [SECONDS]     FAULT is none, block, starve or leak; a FILE that ends in .json is written for Perfetto, else for `go tool trace`
using System.Globalization;
using Faults;
using NetGo;
using NetGo.Http;
using NetGo.Netpoll;

if (args.Length is < 2 or > 3 || !Enum.TryParse(args[0], ignoreCase: true, out Fault fault))
{
    Console.Error.WriteLine("usage: Faults none|block|starve|leak FILE [SECONDS]");
    return 2;
}
var duration = TimeSpan.FromSeconds(args.Length == 3 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 3);

using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 2 });
using NetListener listener = await scheduler.RunAsync(() => Task.FromResult(NetListener.Listen("127.0.0.1:0")));
await using var server = new Server { Handler = new Shop(fault).Routes };
Task serving = scheduler.RunAsync(() => server.ServeAsync(listener));

string address = $"http://{listener.LocalEndPoint}";
await Load.RunAsync(address, TimeSpan.FromSeconds(1)); // what runs for the first time is slow

await using (FileStream file = File.Create(args[1]))
{
    TraceFormat format = args[1].EndsWith(".json", StringComparison.Ordinal) ? TraceFormat.Perfetto : TraceFormat.Go;
    await using TraceSession trace = GoTrace.Start(file, new TraceOptions { Scheduler = scheduler, Format = format });
    int requests = await Load.RunAsync(address, duration);
    await trace.StopAsync();
    Console.WriteLine($"{requests} requests; {trace.EventCount} events in {trace.ByteCount} bytes, {trace.LostCount} lost; {scheduler.GoroutineCount} goroutines");
}
await server.ShutdownAsync();
await serving;
return 0;
