using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections.Tests;

// What can be seen of connections from outside.
public abstract partial class KestrelContract
{
    [Fact]
    public async Task Connections_are_counted_by_Kestrels_meter()
    {
        long active = 0;
        long ended = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Microsoft.AspNetCore.Server.Kestrel" && instrument.Name is "kestrel.active_connections" or "kestrel.connection.duration")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, change, _, _) => Interlocked.Add(ref active, change));
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref ended));
        listener.Start();
        await using WebApplication app = await StartAsync(app => app.MapGet("/", () => "answer"));
        using (var first = await ConnectAsync(AddressOf(app)))
        using (var second = await ConnectAsync(AddressOf(app)))
        {
            Assert.True(await IsServedAsync(first));
            Assert.True(await IsServedAsync(second));
            Assert.Equal(2, Interlocked.Read(ref active));
        }
        Bounded.Until(() => Interlocked.Read(ref active) == 0 && Interlocked.Read(ref ended) == 2, "the connections counted as ended");
    }

    [Fact]
    public async Task Connection_logging_shows_what_goes_by()
    {
        var logger = new MemoryLogger(LogLevel.Debug);
        await using WebApplication app = await StartAsync(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseConnectionLogging("traffic")),
            app => app.MapGet("/{name}", (string name) => $"<{name}>"),
            builder =>
            {
                builder.Logging.SetMinimumLevel(LogLevel.Debug);
                builder.Logging.AddProvider(new OneCategory("traffic", logger));
            });
        using HttpClient client = Client();
        Assert.Equal("<gopher>", await client.GetStringAsync(new Uri(AddressOf(app), "/gopher")));
        string[] logged = [.. logger.Entries.Select(static entry => entry.Message)];
        Assert.Contains(logged, static line => line.StartsWith("ReadAsync", StringComparison.Ordinal) && line.Contains("47 45 54 20 2F 67 6F 70", StringComparison.Ordinal));
        Assert.Contains(logged, static line => line.StartsWith("WriteAsync", StringComparison.Ordinal) && line.Contains("48 54 54 50 2F 31 2E 31", StringComparison.Ordinal));
    }

    private sealed class OneCategory(string category, ILogger logger) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName == category ? logger : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
        }
    }
}
