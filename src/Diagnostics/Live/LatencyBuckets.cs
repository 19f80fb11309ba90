using System.Numerics;

namespace NetGo.Diagnostics;

// Counts durations in buckets of which each is 2^(1/4) times as long as the one before: what is read from them is at most 19 % too long. Many threads
// count, into stripes of their own most often; one takes.
internal sealed class LatencyBuckets
{
    /// <summary>Bucket i has what is longer than 1 us * 2^(i / 4) and at most 1 us * 2^((i + 1) / 4); the first all that is shorter, the last
    /// (the longest has more than 4 minutes) all that is longer.</summary>
    public const int Length = 28 * PerOctave;

    public const int PerOctave = 4;

    private const int Stripes = 16;

    private static readonly double[] s_ends = [.. Enumerable.Range(1, Length).Select(static i => 1e-6 * Math.Pow(2, (double)i / PerOctave))];

    private readonly long[] _counts = new long[Stripes * Length];
    private readonly long[] _taken = new long[Length];
    private long _longest; // nanoseconds

    public void Add(double seconds)
    {
        int stripe = Environment.CurrentManagedThreadId & (Stripes - 1);
        Interlocked.Increment(ref _counts[(stripe * Length) + BucketOf(seconds)]);
        long nanoseconds = (long)(seconds * 1e9);
        long longest;
        while (nanoseconds > (longest = Volatile.Read(ref _longest)) && Interlocked.CompareExchange(ref _longest, nanoseconds, longest) != longest)
        {
        }
    }

    /// <summary>What has come since the last time, by bucket, and the longest, in seconds.</summary>
    public double Take(long[] counts)
    {
        for (int bucket = 0; bucket < Length; bucket++)
        {
            long sum = 0;
            for (int stripe = 0; stripe < Stripes; stripe++)
                sum += Volatile.Read(ref _counts[(stripe * Length) + bucket]);
            counts[bucket] = sum - _taken[bucket];
            _taken[bucket] = sum;
        }
        return Interlocked.Exchange(ref _longest, 0) * 1e-9;
    }

    public static int BucketOf(double seconds)
    {
        ulong nanoseconds = (ulong)Math.Clamp(seconds * 1e9, 0, 1e18);
        if (nanoseconds <= 1000)
            return 0;
        // The octave by the highest bit, within it by comparison.
        int first = Math.Clamp((BitOperations.Log2(nanoseconds / 1000) * PerOctave) - 1, 0, Length - 1);
        while (first < Length - 1 && seconds > s_ends[first])
            first++;
        return first;
    }

    /// <summary>In seconds.</summary>
    public static double EndOf(int bucket) => s_ends[bucket];

    /// <summary>The end of the bucket in which the given part of all is reached, in seconds; null when there are none.</summary>
    public static double? Quantile(ReadOnlySpan<long> counts, double part)
    {
        long all = 0;
        foreach (long count in counts)
            all += count;
        if (all == 0)
            return null;
        long rank = Math.Max(1, (long)Math.Ceiling(all * part));
        int bucket = 0;
        for (long below = counts[0]; below < rank; below += counts[++bucket])
        {
        }
        return EndOf(bucket);
    }
}
