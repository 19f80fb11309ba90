using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using System.Runtime.InteropServices;
using NetGo;
using OpenTelemetry;
using OpenTelemetry.Metrics;

/// <summary>Somebody who listens to what the server says of itself, to measure what that costs.</summary>
internal static class Watching
{
    /// <summary>
    /// metrics: a MeterListener on all instruments, that adds up; opentelemetry: the SDK, that collects every ten seconds; activities: an ActivityListener
    /// that takes all; events: an EventListener on all of NetGo-Http; trace: an execution trace, of which the end says how large it was.
    /// </summary>
    public static IReadOnlyList<string> Kinds { get; } = ["metrics", "opentelemetry", "activities", "events", "trace"];

    public static string Usage => $"netgo PORT [--watch {string.Join('|', Kinds)}]";

    public static bool IsKind(string kind) => Kinds.Contains(kind);

    public static IDisposable Begin(string kind) => kind switch
    {
        "metrics" => Listen(),
        "opentelemetry" => Sdk.CreateMeterProviderBuilder().AddMeter("NetGo.*")
            .AddReader(new PeriodicExportingMetricReader(new NoExporter(), exportIntervalMilliseconds: 10_000)).Build(),
        "activities" => TakeActivities(),
        "trace" => new Tracing(),
        _ => new Events(),
    };

    private static MeterListener Listen()
    {
        long count = 0;
        double sum = 0;
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name.StartsWith("NetGo.", StringComparison.Ordinal))
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => sum += value);
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => count += value);
        listener.Start();
        return listener;
    }

    private static ActivityListener TakeActivities()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name.StartsWith("NetGo.", StringComparison.Ordinal),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class Tracing : IDisposable
    {
        private readonly TraceSession _session = GoTrace.Start(Stream.Null);
        private int _ended;

        private readonly PosixSignalRegistration _end;

        public Tracing() => _end = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Dispose()); // and then the signal ends the process

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) != 0)
                return;
            _session.StopAsync().Wait();
            _end.Dispose();
            Console.Error.WriteLine($"trace: {_session.EventCount} events in {_session.ByteCount} bytes, {_session.LostCount} lost");
        }
    }

    private sealed class NoExporter : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch) => ExportResult.Success;
    }

    private sealed class Events : EventListener
    {
        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "NetGo-Http")
                EnableEvents(eventSource, EventLevel.Informational);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
        }
    }
}
