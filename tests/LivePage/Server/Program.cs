// A server to look at: with its live page, and with faults that can be asked for. LiveServer ADDRESS
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using NetGo;
using NetGo.Http;
using NetGo.Netpoll;

string address = args.Length > 0 ? args[0] : "127.0.0.1:0";
var leaked = NetGo.Channel.Make<int>(0);

var mux = new ServeMux();
mux.HandleFunc("GET /hello", static (w, r) => w.WriteAsync("Hello, World!\n"));

mux.HandleFunc("GET /work", static async (w, r) =>
{
    for (int i = 0; i < 3; i++)
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 5)));
        Thread.SpinWait(20_000);
    }
    await w.WriteAsync("done\n");
});

mux.HandleFunc("GET /sleep", static async (w, r) =>
{
    await Go.SleepAsync(TimeSpan.FromMilliseconds(Number(r, "ms", 50)));
    await w.WriteAsync("slept\n");
});

mux.HandleFunc("GET /fan-out", static async (w, r) =>
{
    var group = new WaitGroup();
    for (int i = 0; i < 10; i++)
        group.Go(static () => Thread.SpinWait(10_000));
    await group.WaitAsync();
    await w.WriteAsync("done\n");
});

// The faults.
mux.HandleFunc("GET /block", static (w, r) =>
{
    Thread.Sleep(Number(r, "ms", 50));
    return w.WriteAsync("blocked\n");
});
mux.HandleFunc("GET /blocking", static (w, r) =>
{
    int milliseconds = Number(r, "ms", 50);
    Go.Blocking(() => Thread.Sleep(milliseconds));
    return w.WriteAsync("blocked, and said so\n");
});
mux.HandleFunc("GET /spin", static (w, r) =>
{
    long end = Environment.TickCount64 + Number(r, "ms", 50);
    while (Environment.TickCount64 < end)
        Thread.SpinWait(1000);
    return w.WriteAsync("spun\n");
});
mux.HandleFunc("GET /leak", (w, r) =>
{
    for (int i = Number(r, "n", 100); i > 0; i--)
        Go.Spawn(async () => await leaked.ReceiveAsync()); // LEAK
    return w.WriteAsync("leaked\n");
});
mux.HandleFunc("GET /mend", (w, r) =>
{
    int ended = 0;
    while (leaked.TrySend(0))
        ended++;
    return w.WriteAsync($"{ended} ended\n");
});
mux.HandleFunc("GET /odd-site", (w, r) =>
{
    // A name that is markup, as a source file's could be.
    Go.Spawn(async () => await leaked.ReceiveAsync(), file: "<img src=x onerror=alert(1)>.cs", line: 1);
    return w.WriteAsync("spawned\n");
});
mux.HandleFunc("GET /collect", static (w, r) =>
{
    GC.Collect();
    return w.WriteAsync("collected\n");
});

// What is so, to compare the page with.
mux.HandleFunc("GET /facts", static (w, r) =>
{
    SchedulerStatistics s = GoScheduler.Current.GetStatistics();
    return w.WriteAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"goroutines\":{s.Goroutines},\"processors\":{s.Processors.Count},\"machines\":{s.Machines},\"blocked\":{s.BlockedHandOffs},\"traced\":{(GoTrace.IsEnabled ? "true" : "false")},\"committed\":{GoScheduler.Current.Buffers.GetStatistics().CommittedBytes}}}\n"));
});

mux.HandleDebug();

using var stop = new CancellationTokenSource();
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using NetListener listener = NetListener.Listen(address);
Console.WriteLine(listener.LocalEndPoint);
var server = new Server { Handler = mux };
await server.ServeAsync(listener, stop.Token);
return 0;

static int Number(Request r, string name, int otherwise) => int.TryParse(r.QueryValues[name], CultureInfo.InvariantCulture, out int n) ? n : otherwise;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
