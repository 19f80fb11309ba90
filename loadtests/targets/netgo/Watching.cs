using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using OpenTelemetry;
using OpenTelemetry.Metrics;

/// <summary>Somebody who listens to what the server says of itself, to measure what that costs.</summary>
internal static class Watching
{
    /// <summary>
    /// metrics: a MeterListener on all instruments, that adds up; opentelemetry: the SDK, that collects every ten seconds; activities: an ActivityListener
    /// that takes all; events: an EventListener on all of NetGo-Http.
    /// </summary>
    public static IReadOnlyList<string> Kinds { get; } = ["metrics", "opentelemetry", "activities", "events"];

    public static bool IsKind(string kind) => Kinds.Contains(kind);

    public static IDisposable Begin(string kind) => kind switch
    {
        "metrics" => Listen(),
        "opentelemetry" => Sdk.CreateMeterProviderBuilder().AddMeter("NetGo.*")
            .AddReader(new PeriodicExportingMetricReader(new NoExporter(), exportIntervalMilliseconds: 10_000)).Build(),
        "activities" => TakeActivities(),
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
