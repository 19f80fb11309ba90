using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace NetGo.Tests;

/// <summary>Listens to the instruments of a meter, and keeps what they say.</summary>
internal sealed class MetricRecorder : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, double Value, string Tags)> _all = new();
    private readonly ConcurrentQueue<Instrument> _instruments = new();

    /// <summary>Of all meters for which this holds, those included that are made later.</summary>
    public MetricRecorder(Func<Instrument, bool> which)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!which(instrument))
                return;
            _instruments.Enqueue(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public IEnumerable<Instrument> Instruments => _instruments;

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new List<string>();
        foreach (KeyValuePair<string, object?> tag in tags)
            text.Add(string.Create(CultureInfo.InvariantCulture, $"{tag.Key}={tag.Value}"));
        text.Sort(StringComparer.Ordinal);
        _all.Enqueue((instrument.Name, value, string.Join(' ', text)));
    }

    /// <summary>What an instrument has said so far: its tags, sorted, as "name=value name=value".</summary>
    public IReadOnlyList<(double Value, string Tags)> Of(string name) => [.. _all.Where(m => m.Name == name).Select(m => (m.Value, m.Tags))];

    /// <summary>What an observable instrument says now.</summary>
    public IReadOnlyList<(double Value, string Tags)> Observe(string name)
    {
        lock (_listener)
        {
            int before = Of(name).Count;
            _listener.RecordObservableInstruments();
            return [.. Of(name).Skip(before)];
        }
    }

    /// <summary>What it says now for these tags; 0 when nothing.</summary>
    public double Observe(string name, string tags) => Observe(name).Where(m => m.Tags == tags).Sum(m => m.Value);

    public void Dispose() => _listener.Dispose();
}
