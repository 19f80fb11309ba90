using System.Diagnostics.Metrics;

namespace NetGo.Diagnostics.Tests;

public sealed class RequestMeterTests
{
    [Fact]
    public void It_reads_what_servers_measure_by_its_name()
    {
        using var meter = new Meter("A server");
        Histogram<double> duration = meter.CreateHistogram<double>("http.server.request.duration", "s");
        long active = 3;
        meter.CreateObservableUpDownCounter("http.server.active_requests", () => new[] { new Measurement<long>(active), new Measurement<long>(1) });
        UpDownCounter<long> connections = meter.CreateUpDownCounter<long>("kestrel.active_connections");
        Bounded.Until(() => !duration.Enabled, "nobody listens: another test's page has been left");
        using (var requests = new RequestMeter())
        {
            for (int i = 0; i < 99; i++)
                duration.Record(0.001, new KeyValuePair<string, object?>("http.route", "/users/{id}"));
            duration.Record(0.5, new KeyValuePair<string, object?>("http.route", "/slow"));
            duration.Record(9, new KeyValuePair<string, object?>("http.route", "/debug/"));
            connections.Add(5);
            connections.Add(-2);
            RequestSample sample = requests.Take(2)!;
            Assert.Equal(50, sample.Rate);
            Assert.InRange(sample.P50!.Value, 0.001, 0.0012);
            Assert.InRange(sample.P99!.Value, 0.001, 0.0012);
            Assert.Equal(0.5, sample.Max!.Value, 6);
            Assert.True(sample.Active >= 4 && sample.Connections >= 3 && sample.CountsChanges);
            Assert.Equal(100, sample.Histogram.Where(static (_, i) => i % 2 == 1).Sum());

            active = 0;
            sample = requests.Take(1)!;
            Assert.Equal(0, sample.Rate);
            Assert.Null(sample.P99);
            Assert.Empty(sample.Histogram);
        }
        Bounded.Until(() => !duration.Enabled, "nobody listens: another test's page has been left");
    }
}
