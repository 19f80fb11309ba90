// The server that clients.sh, slow.sh, shutdown.sh and transfer.sh drive: see ../../README.md for its routes. SIGTERM and SIGINT end it
// gracefully.
using System.Runtime.InteropServices;
using ClientsServer;
using Microsoft.Extensions.Logging;
using NetGo.Http;

if (CommandLine.Parse(args) is not { } line)
{
    Console.Error.WriteLine(CommandLine.Usage);
    return 2;
}

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var server = new Server
{
    Address = $"127.0.0.1:{line.Port}",
    Handler = Routes.Of(line.Folder),
    ServerName = "netgo",
    MaxRequestBodySize = long.MaxValue,
    Logger = new ErrorLogger(LogLevel.Error),
};
if (line.Timeout is { } timeout)
    server.ReadHeaderTimeout = server.ReadTimeout = server.WriteTimeout = server.IdleTimeout = timeout;
Ledger? ledger = line.Ledger is null ? null : new Ledger();
if (ledger is not null)
{
    server.OnConnState = ledger.Note;
    server.Handler = ledger.Around(server.Handler);
}
await server.ListenAndServeAsync(stop.Token);
ledger?.Save(line.Ledger!);
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
