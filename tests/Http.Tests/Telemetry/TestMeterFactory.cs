using System.Diagnostics.Metrics;

namespace NetGo.Http.Tests.Telemetry;

/// <summary>So that a test hears of its own server only.</summary>
internal sealed class TestMeterFactory : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public MetricRecorder Record() => new(instrument => instrument.Meter.Scope == this);

    public void Dispose()
    {
        foreach (Meter meter in _meters)
            meter.Dispose();
    }
}
