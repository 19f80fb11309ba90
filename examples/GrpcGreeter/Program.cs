// A gRPC service on ASP.NET Core on NetGo, over HTTP/2 without TLS (h2c).
//
//   GrpcGreeter [ADDRESS]      serves on ADDRESS, :8080 unless given; the service is Greeter, in Protos/greeter.proto
//   GrpcGreeter --try URL      calls a running one in all ways; exit code 0 when all went well
using GrpcGreeter;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using NetGo;

if (args is ["--try", var url])
    return await TryClient.RunAsync(new Uri(url));
if (args.Length > 1)
{
    Console.Error.WriteLine("Usage: GrpcGreeter [ADDRESS], or GrpcGreeter --try URL");
    return 2;
}
string address = args.Length > 0 ? args[0] : ":8080";

WebApplicationBuilder builder = WebApplication.CreateBuilder();
builder.WebHost.UseNetpoll();
builder.WebHost.UseUrls($"http://{(address.StartsWith(':') ? "*" : "")}{address}");
// Without TLS there is no ALPN by which a client could say which version it speaks.
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2));
builder.Services.AddGrpc();
builder.Services.AddSingleton<StreamCounter>();
await using WebApplication app = builder.Build();
// Kestrel has the calls of HTTP/2 run on the thread pool, where one that blocks holds others up. So each gets a goroutine.
app.Use(static (context, next) => Go.RunAsync(() => next(context)));
app.MapGrpcService<GreeterService>();
await app.RunAsync();
return 0;
