// A server that speaks Redis's protocol, RESP2 and RESP3, with the commands for strings, in memory. A connection handler in a host.
//
//   Resp [ADDRESS]     serves on ADDRESS (an IP address with a port), 127.0.0.1:6379 unless given
//
//   redis-cli set greeting hello
//   redis-benchmark -t ping,set,get -P 16 -q
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resp;

IPEndPoint? endPoint = new(IPAddress.Loopback, 6379);
if (args.Length > 1 || (args.Length == 1 && !IPEndPoint.TryParse(args[0], out endPoint)))
{
    Console.Error.WriteLine("Usage: Resp [ADDRESS], for example 127.0.0.1:6379");
    return 2;
}

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton(new RespLimits());
builder.Services.AddSingleton(new Store(TimeProvider.System));
builder.Services.AddSingleton<CommandTable>();
builder.Services.AddHostedService<ExpiryService>();
builder.Services.AddConnectionServer(server =>
{
    server.MaxConnections = 10_000; // Redis's maxclients
    server.Listen(endPoint, connection => connection.UseConnectionHandler<RespHandler>());
});
using IHost host = builder.Build();
await host.RunAsync();
return 0;
