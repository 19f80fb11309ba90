using System.Diagnostics.Metrics;

namespace NetGo;

// The instruments netgo.buffers.*, of the meter NetGo.Scheduler: of the pools that schedulers have their buffers from. A pool is called "shared" when it is
// BufferPool.Shared, else after the first of its schedulers.
internal static class BufferMetrics
{
    private const string PoolTag = "netgo.buffers.pool";

    public static void AddTo(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "netgo.buffers.committed", () => OfEach(static s => s.CommittedBytes), "By", "Memory that a pool has from the system.");
        meter.CreateObservableUpDownCounter("netgo.buffers.limit", () => OfEach(static s => s.MaxBytes), "By", "How much it may have.");
        meter.CreateObservableUpDownCounter(
            "netgo.buffers.large", () => OfEach(static s => s.LargeBytes), "By", "How much of what it has is in buffers larger than 64 KiB.");
        meter.CreateObservableUpDownCounter(
            "netgo.buffers.released", () => OfEach(static s => s.ReleasedBytes), "By", "Memory that a pool once had and has given back, with the addresses still its own.");
        meter.CreateObservableUpDownCounter(
            "netgo.buffers.waiting", () => OfEach(static s => (long)s.Waiting), "{request}", "How many wait for a buffer, because the pool is at its limit.");
        meter.CreateObservableCounter(
            "netgo.buffers.returns", ObserveReturns, "{buffer}", "Buffers that processors have taken back, by whether they are of the processor's own memory node.");
        meter.CreateObservableUpDownCounter(
            "netgo.buffers.count", ObserveCounts, "{buffer}", "Buffers, by memory node, size and state.");
    }

    private static List<(BufferPoolStatistics Statistics, KeyValuePair<string, object?> Name)> Snapshot()
    {
        var pools = new List<BufferPool>();
        var all = new List<(BufferPoolStatistics Statistics, KeyValuePair<string, object?> Name)>();
        foreach ((GoScheduler scheduler, string name) in LiveSchedulers.Snapshot())
        {
            BufferPool pool = scheduler.Buffers;
            if (pools.Contains(pool) || pool.IsDisposed)
                continue;
            pools.Add(pool);
            all.Add((pool.GetStatistics(), new(PoolTag, pool.IsShared ? "shared" : name)));
        }
        return all;
    }

    private static List<Measurement<long>> OfEach(Func<BufferPoolStatistics, long> value)
    {
        var measurements = new List<Measurement<long>>();
        foreach ((BufferPoolStatistics statistics, KeyValuePair<string, object?> name) in Snapshot())
            measurements.Add(new(value(statistics), name));
        return measurements;
    }

    private static List<Measurement<long>> ObserveReturns()
    {
        var measurements = new List<Measurement<long>>();
        foreach ((BufferPoolStatistics statistics, KeyValuePair<string, object?> name) in Snapshot())
        {
            measurements.Add(new(statistics.LocalReturns, name, new("netgo.buffers.locality", "local")));
            measurements.Add(new(statistics.RemoteReturns, name, new("netgo.buffers.locality", "remote")));
        }
        return measurements;
    }

    private static List<Measurement<long>> ObserveCounts()
    {
        var measurements = new List<Measurement<long>>();
        foreach ((BufferPoolStatistics statistics, KeyValuePair<string, object?> name) in Snapshot())
        {
            foreach (BufferClassStatistics c in statistics.Classes)
            {
                foreach ((string state, long count) in (ReadOnlySpan<(string, long)>)[("in_use", c.InUse), ("cached", c.Cached), ("free", c.Free), ("idle", c.Idle)])
                {
                    measurements.Add(new(
                        count, name, new("netgo.buffers.node", c.Node < 0 ? "reserve" : c.Node), new("netgo.buffers.size", c.Size), new("netgo.buffers.state", state)));
                }
            }
        }
        return measurements;
    }
}
