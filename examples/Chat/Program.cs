// A chat room: a page, a WebSocket for talking, and server-sent events for listening. A graceful shutdown on Ctrl+C.
//
//   Chat [ADDRESS]      serves on ADDRESS, :8080 unless given
//   Chat --try URL      talks and listens as two clients of a running one would; exit code 0 when all went well
//
//   GET /          the page
//   GET /events    what is said, and before it the last things that were said (server-sent events)
//   GET /talk      a WebSocket; each text message that is sent on it is said
using System.Runtime.InteropServices;
using Chat;
using NetGo.Http;

if (args is ["--try", var url])
    return await TryClient.RunAsync(new Uri(url));
if (args.Length > 1)
{
    Console.Error.WriteLine("Usage: Chat [ADDRESS], or Chat --try URL");
    return 2;
}
string address = args.Length > 0 ? args[0] : ":8080";

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var room = new Room();
var handlers = new ChatHandlers(room, stop.Token);
var mux = new ServeMux();
mux.HandleFunc("GET /{$}", ChatHandlers.PageAsync);
mux.HandleFunc("GET /events", handlers.ListenAsync);
mux.HandleFunc("GET /talk", handlers.TalkAsync);

var server = new Server { Address = address, Handler = mux };
Task serving = server.ListenAndServeAsync(stop.Token);
Console.WriteLine($"Listening on {address}. Open http://localhost:{address[(address.LastIndexOf(':') + 1)..]}/ in two windows.");
await serving;
await handlers.TalksEnded; // the server does not know of the WebSockets
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
