using System.Globalization;
using System.Numerics;

namespace Experiments;

/// <summary>Counts of durations: 16 classes for each power of two of nanoseconds, as Go's runtime has for the same purpose. Any thread may add.</summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 4;
    private const int Classes = 64 << SubBits;

    private readonly long[] _counts = new long[Classes];

    public void Add(long nanoseconds) => Interlocked.Increment(ref _counts[ClassOf(Math.Max(0, nanoseconds))]);

    private static int ClassOf(long value)
    {
        if (value < 1 << SubBits)
            return (int)value;
        int power = BitOperations.Log2((ulong)value);
        return ((power - SubBits + 1) << SubBits) + (int)((value >> (power - SubBits)) - (1 << SubBits));
    }

    private static double UpperEnd(int index)
    {
        if (index < 1 << SubBits)
            return index + 1;
        int power = (index >> SubBits) + SubBits - 1;
        return ((1 << SubBits) + (index & ((1 << SubBits) - 1)) + 1) * Math.Pow(2, power - SubBits);
    }

    /// <summary>What has been added since the last call: pairs of the upper end of a class, in nanoseconds, and its count.</summary>
    public List<(double UpperEnd, long Count)> Take()
    {
        List<(double, long)> taken = [];
        for (int i = 0; i < Classes; i++)
        {
            long count = Interlocked.Exchange(ref _counts[i], 0);
            if (count > 0)
                taken.Add((UpperEnd(i), count));
        }
        return taken;
    }

    /// <summary>Lines of such pairs, as the server in go/ writes them.</summary>
    public static List<(double UpperEnd, long Count)> Parse(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))
            .Select(static parts => (double.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture)))];

    /// <summary>The least upper end that no more than the rest exceed, in microseconds.</summary>
    /// <exception cref="InvalidOperationException">Nothing was counted.</exception>
    public static double Percentile(IEnumerable<(double UpperEnd, long Count)> classes, double part)
    {
        (double UpperEnd, long Count)[] sorted = [.. classes.OrderBy(static c => c.UpperEnd)];
        double wanted = sorted.Sum(static c => c.Count) * part;
        long seen = 0;
        foreach ((double upperEnd, long count) in sorted)
        {
            seen += count;
            if (seen >= wanted)
                return upperEnd / 1000;
        }
        throw new InvalidOperationException("Nothing was counted.");
    }
}
