using System.Diagnostics.Metrics;

namespace NetGo.Diagnostics;

// What the meters of servers tell, by the names of OpenTelemetry's semantic conventions, be they NetGo.Http's or ASP.NET Core's. Servers measure
// while somebody listens, so this lives while somebody looks at the page.
internal sealed class RequestMeter : IDisposable
{
    private const string Duration = "http.server.request.duration";
    private const string ActiveRequests = "http.server.active_requests";
    private const string OwnPages = "/debug/";

    private readonly MeterListener _listener = new();
    private readonly LatencyBuckets _durations = new();
    private readonly long[] _counts = new long[LatencyBuckets.Length];
    private readonly Count _active = new();
    private readonly Count _connections = new();
    private bool _hasDurations;

    public RequestMeter()
    {
        _listener.InstrumentPublished = Publish;
        _listener.SetMeasurementEventCallback<double>(Measured);
        _listener.SetMeasurementEventCallback<long>(Measured);
        _listener.Start();
    }

    /// <summary>What has come since the last time; null when no server tells anything.</summary>
    public RequestSample? Take(double seconds)
    {
        _active.Observed = 0;
        _connections.Observed = 0;
        _listener.RecordObservableInstruments();
        double longest = _durations.Take(_counts);
        if (!_hasDurations && _active.Value is null && _connections.Value is null)
            return null;
        long all = _counts.Sum();
        var histogram = new List<long>();
        for (int bucket = 0; bucket < _counts.Length; bucket++)
        {
            if (_counts[bucket] > 0)
                histogram.AddRange(bucket, _counts[bucket]);
        }
        return new RequestSample(
            Math.Round(all / seconds, 1), AtMost(LatencyBuckets.Quantile(_counts, 0.5), longest), AtMost(LatencyBuckets.Quantile(_counts, 0.99), longest),
            all > 0 ? longest : null, _active.Value, _connections.Value, _active.CountsChanges || _connections.CountsChanges, histogram);
    }

    public void Dispose() => _listener.Dispose();

    private static double? AtMost(double? value, double limit) => value is { } v ? Math.Min(v, limit) : null;

    private void Publish(Instrument instrument, MeterListener listener)
    {
        Count? count = instrument.Name switch
        {
            ActiveRequests => _active,
            "netgo.http.active_connections" or "kestrel.active_connections" => _connections,
            _ => null,
        };
        if (count is not null)
        {
            if (instrument.IsObservable)
                count.IsObserved = true;
            else
                count.CountsChanges = true;
            listener.EnableMeasurementEvents(instrument, count);
        }
        else if (instrument.Name == Duration)
        {
            _hasDurations = true;
            listener.EnableMeasurementEvents(instrument);
        }
    }

    // On the threads of requests.
    private void Measured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (instrument.Name != Duration)
            return;
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            if (tag.Key == "http.route" && tag.Value is string route && route.StartsWith(OwnPages, StringComparison.Ordinal))
                return;
        }
        _durations.Add(value);
    }

    private static void Measured(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (state is not Count count)
            return;
        if (instrument.IsObservable)
            count.Observed += value;
        else
            Interlocked.Add(ref count.Changes, value);
    }

    private sealed class Count
    {
        public long Changes;

        public long Observed { get; set; }

        public bool IsObserved { get; set; }

        public bool CountsChanges { get; set; }

        public long? Value => IsObserved || CountsChanges ? Observed + Volatile.Read(ref Changes) : null;
    }
}
