// A service as it is run for real: in a container, in Kubernetes, or under systemd.
//
//   Deployment [OPTION]...
//     --listen ADDRESS      where to serve, :8080 unless given; not used when systemd hands over its sockets
//     --drain SECONDS       after SIGTERM or SIGINT, how long to serve on while /health/ready says 503; 0 unless given
//     --grace SECONDS       and then, how long the requests that are under way have to end; 30 unless given
//   Deployment --healthcheck URL      asks a running one; exit code 0 when it answers with success
//   Deployment --load URL SECONDS     asks a running one all the time; exit code 0 when each request was answered
//
// The exit code is 0 when all requests have ended after SIGTERM, 1 when --grace was over before, and 2 for a bad command line.
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Deployment;
using Microsoft.Extensions.Logging;
using NetGo;
using NetGo.Http;
using NetGo.Netpoll;

// First of all: to the process with the number 1, as which it runs in a container, a signal that nobody handles is not sent.
using var stop = new StopSignals();

switch (args)
{
    case ["--healthcheck", var url]:
        return await HealthCheck.RunAsync(url);
    case ["--load", var url, var seconds] when Uri.TryCreate(url, UriKind.Absolute, out Uri? service) && service.Scheme == Uri.UriSchemeHttp &&
        int.TryParse(seconds, CultureInfo.InvariantCulture, out int time) && time > 0:
        return await new LoadClient(service).RunAsync(TimeSpan.FromSeconds(time), stop.Requested);
}
if (!ServiceOptions.TryParse(args, out ServiceOptions options, out string problem))
{
    Console.Error.WriteLine($"""
        {problem}
        Usage: Deployment [--listen ADDRESS] [--drain SECONDS] [--grace SECONDS]
               Deployment --healthcheck URL
               Deployment --load URL SECONDS
        """);
    return 2;
}

var health = new HealthHandler();
var mux = new ServeMux();
mux.HandleFunc("GET /hello/{name}", (w, r) => w.WriteAsync($"Hello, {r.PathValue("name")}!\n"));
mux.HandleFunc("GET /process", (w, r) => w.WriteAsync($"{Environment.ProcessId}\n"));
mux.HandleFunc("GET /sleep", async (w, r) =>
{
    if (!int.TryParse(r.QueryValues["ms"], CultureInfo.InvariantCulture, out int milliseconds) || milliseconds is < 0 or > 10_000)
    {
        await w.ErrorAsync(400);
        return;
    }
    await Go.SleepAsync(TimeSpan.FromMilliseconds(milliseconds));
    await w.WriteAsync("slept\n");
});
mux.Handle("GET /health/live", health.Live);
mux.Handle("GET /health/ready", health.Ready);

// What it could not do: exceptions of handlers, refused connections, no descriptors left. Whoever runs it collects its output.
using ILoggerFactory logs = LoggerFactory.Create(static logging => logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(static format => format.SingleLine = true));
ILogger logger = logs.CreateLogger<Server>();
var server = new Server
{
    Logger = logger,
    Handler = new HandlerFunc((w, r) =>
    {
        // So a kept connection goes to another process after a request, and not at the end, when it might cross one.
        if (health.IsDraining)
            w.Header.Set("Connection", "close");
        return mux.ServeHttpAsync(w, r);
    }),
};

NetListener[] listeners;
try
{
    IReadOnlyList<NetListener> inherited = NetListener.FromEnvironment(new ListenOptions { Logger = logger });
    listeners = inherited.Count > 0 ? [.. inherited] : [NetListener.Listen(options.Address, new ListenOptions { Logger = logger })];
}
catch (Exception e) when (e is SocketException or FormatException or InvalidOperationException)
{
    Console.Error.WriteLine($"Cannot listen: {e.Message}");
    return 2;
}
Task serving = Task.WhenAll(listeners.Select(listener => server.ServeAsync(listener)));
Console.WriteLine($"Listening on {string.Join(", ", listeners.Select(listener => listener.LocalEndPoint))}");
ServiceManager.Notify("READY=1");

// It ends by itself when it can accept no more.
await Task.WhenAny(serving, stop.FirstAsync());
if (serving.IsCompleted)
    await serving;

ServiceManager.Notify("STOPPING=1");
health.IsDraining = true;
Console.WriteLine($"Draining for {options.Drain.TotalSeconds} s");
await Task.WhenAny(Task.Delay(options.Drain), stop.SecondAsync());

using var grace = new CancellationTokenSource(options.Grace);
try
{
    await server.ShutdownAsync(grace.Token);
    await serving;
    Console.WriteLine("All requests have ended");
    return 0;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine($"After {options.Grace.TotalSeconds} s, {server.ConnectionCount} connections are closed with requests under way");
    server.Close();
    return 1;
}
