// A protocol of one's own as a connection handler: frames of a length (4 bytes, big-endian) and that many bytes, each sent back.
//
//   Echo [ADDRESS]        serves on ADDRESS (an IP address with a port), 127.0.0.1:5000 unless given, until Ctrl+C
//   Echo --try ADDRESS    is a client of a running one; exit code 0 when all went well
using System.Net;
using System.Runtime.InteropServices;
using Echo;
using Microsoft.AspNetCore.Connections;
using NetGo.Connections;

IPEndPoint? endPoint = new(IPAddress.Loopback, 5000);
bool isClient = args.Length > 0 && args[0] == "--try";
string[] addresses = isClient ? args[1..] : args;
if (addresses.Length > 1 || (isClient && addresses.Length == 0) || (addresses.Length == 1 && !IPEndPoint.TryParse(addresses[0], out endPoint)))
{
    Console.Error.WriteLine("Usage: Echo [ADDRESS], or Echo --try ADDRESS; for example 127.0.0.1:5000");
    return 2;
}
if (isClient)
    return await TryClient.RunAsync(endPoint);

var stop = new TaskCompletionSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

Server server = new ServerBuilder { MaxConnections = 10_000 }
    .Listen(endPoint, connection => connection.UseConnectionHandler<EchoHandler>())
    .Build();
await server.StartAsync();
Console.WriteLine($"Listening on {server.EndPoints[0]}.");
await stop.Task;
await server.StopAsync();
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.TrySetResult();
}
