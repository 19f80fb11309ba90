// A service whose metrics Prometheus reads, by OpenTelemetry.
//
//   Metrics [ADDRESS]     serves on ADDRESS, :8080 unless given
//
//   curl localhost:8080/hello/gopher
//   curl localhost:8080/metrics          from this machine only: metrics tell what a service does, and how busy it is
//
// OpenTelemetry's exporter without ASP.NET Core brings a server of its own, an HttpListener. It listens on a port of the loopback interface that nobody
// needs to know, and /metrics here passes requests on to it: so one address has all, with this server's limits and time-outs.
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NetGo;
using NetGo.Http;
using OpenTelemetry.Metrics;

if (args.Length > 1)
{
    Console.Error.WriteLine("Usage: Metrics [ADDRESS]");
    return 2;
}

int exporterPort = FreePort();
using var exporter = ReverseProxy.To(new Uri($"http://127.0.0.1:{exporterPort}"));

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
    .AddMeter("NetGo.*")
    .AddPrometheusHttpListener(options =>
    {
        options.Host = "127.0.0.1";
        options.Port = exporterPort;
        options.ScopeInfoEnabled = false; // no names of meters on each line
        options.ScrapeResponseCacheDurationMilliseconds = 0;
    }));
builder.Services.AddNetGo(options => options.Listen(args.Length > 0 ? args[0] : ":8080"))
    .Handle("GET /hello/{name}", (response, request) => response.WriteAsync($"Hello, {request.PathValue("name")}!"))
    .Handle("GET /slow", async (response, request) =>
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(200), request.Aborted);
        await response.WriteAsync("at last");
    })
    .Handle("GET /blocking", (response, _) =>
    {
        Thread.Sleep(50); // netgo.scheduler.handoffs counts it: the others do not wait
        return response.WriteAsync("sorry");
    })
    .Handle("GET /failing", (_, _) => throw new InvalidOperationException("This handler always fails."))
    .Handle("GET /metrics", (response, request) => request.RemoteEndPoint is IPEndPoint { Address: var client } && IPAddress.IsLoopback(client)
        ? exporter.ServeHttpAsync(response, request)
        : response.ErrorAsync(403));
await builder.Build().RunAsync();
return 0;

static int FreePort()
{
    using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    return ((IPEndPoint)socket.LocalEndPoint!).Port;
}
