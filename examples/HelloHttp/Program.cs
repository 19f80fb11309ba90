// The smallest useful server: two routes, a graceful shutdown on Ctrl+C.
//
//   HelloHttp [ADDRESS]             serves on ADDRESS, :8080 unless given
//   HelloHttp --healthcheck URL     asks a running one; exit code 0 when it answers with success
using System.Runtime.InteropServices;
using NetGo.Http;

if (args is ["--healthcheck", var url])
{
    using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
    using HttpResponseMessage answer = await client.GetAsync(new Uri(url));
    return answer.IsSuccessStatusCode ? 0 : 1;
}

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
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
