// A file server: ranges, preconditions, sendfile, nothing outside its directory. A graceful shutdown on Ctrl+C.
//
//   FileServer [--list] [--precompressed] DIRECTORY [ADDRESS]
//
//   --list            a directory without an index.html is answered with a list of its files
//   --precompressed   NAME.br or NAME.gz is sent in place of NAME to clients that accept it
//   ADDRESS           :8080 unless given
using System.Runtime.InteropServices;
using NetGo.Http;

var options = new FileServerOptions();
var rest = new List<string>();
foreach (string arg in args)
{
    if (arg == "--list")
        options.ListDirectories = true;
    else if (arg == "--precompressed")
        options.ServePrecompressed = true;
    else
        rest.Add(arg);
}
if (rest.Count is 0 or > 2 || rest.Exists(static arg => arg.StartsWith("--", StringComparison.Ordinal)) || !Directory.Exists(rest[0]))
{
    Console.Error.WriteLine("Usage: FileServer [--list] [--precompressed] DIRECTORY [ADDRESS], where DIRECTORY exists");
    return 2;
}
string address = rest.Count > 1 ? rest[1] : ":8080";

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var server = new Server { Address = address, Handler = Handlers.FileServer(rest[0], options) };
Task serving = server.ListenAndServeAsync(stop.Token);
Console.WriteLine($"Listening on {address}, for {Path.GetFullPath(rest[0])}");
await serving;
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
