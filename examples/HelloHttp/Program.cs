// The smallest useful server: two routes, a graceful shutdown on Ctrl+C.
//   dotnet run --project examples/HelloHttp [-- ADDRESS]        ADDRESS is :8080 unless given
using System.Runtime.InteropServices;
using NetGo.Http;

string address = args.Length > 0 ? args[0] : ":8080";

var mux = new ServeMux();
mux.HandleFunc("GET /{$}", (w, r) => w.WriteAsync("Hello, World!\n"));
mux.HandleFunc("GET /hello/{name}", (w, r) => w.WriteAsync($"Hello, {r.PathValue("name")}!\n"));

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var server = new Server { Address = address, Handler = mux };
Task serving = server.ListenAndServeAsync(stop.Token);
Console.WriteLine($"Listening on {address}. Try: curl http://localhost:{address[(address.LastIndexOf(':') + 1)..]}/hello/gopher");
await serving;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
