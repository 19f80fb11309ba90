using System.Runtime.InteropServices;
using HdrHistogram;

namespace NetGo.LoadTests;

/// <summary>Latencies of requests at a fixed rate, as `rate --log` writes them: in a HdrHistogram, and one for each second.</summary>
internal sealed class LatencyRecord
{
    private const long MostNanoseconds = 120_000_000_000;
    private const int Digits = 3;

    // Those of the horizontal axis of a HdrHistogram's plot.
    private static readonly double[] s_parts = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999, 1];

    private readonly LongHistogram _all = New();
    private readonly List<LongHistogram> _seconds = [];

    public long Count => _all.TotalCount;

    public double MeanMilliseconds => _all.TotalCount == 0 ? 0 : _all.GetMean() / 1e6;

    public IReadOnlyList<PercentileValue> Percentiles => [.. s_parts.Select(p => new PercentileValue(p, At(_all, p)))];

    public IReadOnlyList<SecondOfLatency> Seconds =>
        [.. _seconds.Where(static s => s.TotalCount > 0).Select(static s => new SecondOfLatency(At(s, 0.5), At(s, 0.99), At(s, 1)))];

    /// <summary>Adds what a log has: two numbers for each answer, when its request was due, and its latency, in ns.</summary>
    /// <exception cref="LoadTestException">It ends within a number.</exception>
    public void Add(ReadOnlySpan<byte> log)
    {
        if (log.Length % 16 != 0)
            throw new LoadTestException("the log of latencies is cut off");
        ReadOnlySpan<ulong> numbers = MemoryMarshal.Cast<byte, ulong>(log);
        int before = _seconds.Count;
        for (int i = 0; i < numbers.Length; i += 2)
        {
            long latency = (long)Math.Min(Math.Max(numbers[i + 1], 1), MostNanoseconds);
            int second = before + (int)(numbers[i] / 1_000_000_000);
            while (_seconds.Count <= second)
                _seconds.Add(New());
            _all.RecordValue(latency);
            _seconds[second].RecordValue(latency);
        }
    }

    /// <summary>The latency that this part (0 to 1) does not exceed, in ms.</summary>
    public double At(double part) => At(_all, part);

    private static double At(LongHistogram histogram, double part) => histogram.TotalCount == 0 ? 0 : histogram.GetValueAtPercentile(100 * part) / 1e6;

    private static LongHistogram New() => new(MostNanoseconds, Digits);
}
