// A server that restarts without a dropped connection.
//
//   Restart [ADDRESS]     serves on ADDRESS, :8080 unless given
//   kill -HUP PID         starts the program anew, the file that is there now, and hands the listening sockets over. When the new
//                         process accepts connections, this one ends the requests that it is at, and then itself. When the new one
//                         cannot be started or does not get that far, this one serves on.
//   kill PID, Ctrl+C      ends the requests that it is at, and then itself
//
// Started by systemd with a .socket unit, or by systemd-socket-activate -l 8080 Restart, it serves the sockets that it is given.
using System.Diagnostics;
using System.Runtime.InteropServices;
using NetGo.Http;
using NetGo.Netpoll;

string program = Environment.ProcessPath!; // asked for at the start: later the file may have been replaced
IReadOnlyList<NetListener> inherited = NetListener.FromEnvironment();
NetListener[] listeners = inherited.Count > 0 ? [.. inherited] : [NetListener.Listen(args.Length > 0 ? args[0] : ":8080")];

var mux = new ServeMux();
mux.HandleFunc("GET /{$}", (w, r) => w.WriteAsync($"{Environment.ProcessId}\n"));

var server = new Server { Handler = mux };
using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
int restarting = 0;
using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
{
    context.Cancel = true;
    if (Interlocked.Exchange(ref restarting, 1) == 0)
        _ = RestartAsync();
});

Task[] serving = [.. listeners.Select(listener => server.ServeAsync(listener, stop.Token))];
Console.WriteLine($"{Environment.ProcessId} listens on {string.Join(", ", listeners.Select(listener => listener.LocalEndPoint))}");
await Task.WhenAll(serving);
Console.WriteLine($"{Environment.ProcessId} has ended");

async Task RestartAsync()
{
    var next = new ProcessStartInfo(program);
    foreach (string argument in args)
        next.ArgumentList.Add(argument);
    try
    {
        int successor = await ListenerHandOver.StartAsync(listeners, next);
        Console.WriteLine($"{Environment.ProcessId} has handed over to {successor}");
        await stop.CancelAsync();
    }
    catch (Exception e)
    {
        Console.WriteLine($"{Environment.ProcessId} goes on: {e.Message}");
        restarting = 0;
    }
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
