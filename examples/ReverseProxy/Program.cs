// A reverse proxy: passes all requests on to one server. A graceful shutdown on Ctrl+C.
//
//   ReverseProxy ADDRESS BACKEND     for example: ReverseProxy :8080 http://localhost:9000
using System.Runtime.InteropServices;
using NetGo.Http;

if (args is not [var address, var backend] || !Uri.TryCreate(backend, UriKind.Absolute, out Uri? target))
{
    Console.Error.WriteLine("Usage: ReverseProxy ADDRESS BACKEND, for example: ReverseProxy :8080 http://localhost:9000");
    return 2;
}

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

using var proxy = ReverseProxy.To(target);
var server = new Server { Address = address, Handler = proxy };
Task serving = server.ListenAndServeAsync(stop.Token);
Console.WriteLine($"Listening on {address}, for {target}");
await serving;
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
