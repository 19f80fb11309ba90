using System.Runtime.InteropServices;

namespace NetGo.LoadTests.Tests;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(2.0, 1.0, 2.0, 3.0)]
    [InlineData(2.5, 4.0, 1.0, 2.0, 3.0)]
    [InlineData(7.0, 7.0)]
    public void The_median_is_in_the_middle(double median, params double[] values) => Assert.Equal(median, Statistics.Median(values));

    [Fact]
    public void Ratios_are_taken_within_a_slice()
    {
        // The machine was slow in the second slice: the ratio of the medians would be another one.
        Slice[] slices = [Slice("a", 1, 10), Slice("b", 1, 5), Slice("a", 2, 100), Slice("b", 2, 50), Slice("a", 3, 30), Slice("b", 3, 10), Slice("a", 4, 1)];
        Ratio? ratio = Statistics.RatioOf(slices, "a", "b", static s => s.CpuMicroseconds);
        Assert.Equal(new Ratio(2, 2, 2.5), ratio);
        Assert.Null(Statistics.RatioOf(slices, "a", "c", static s => s.CpuMicroseconds));
    }

    [Fact]
    public void Latencies_are_counted_exactly_and_by_the_second_in_which_they_were_due()
    {
        const ulong millisecond = 1_000_000;
        var numbers = new List<ulong>();
        for (ulong i = 1; i <= 1000; i++)
            numbers.AddRange([i * millisecond, i * millisecond / 10]); // in the first second 0.1 to 100 ms
        numbers.AddRange([2_500 * millisecond, 7 * millisecond]);
        var record = new LatencyRecord();
        record.Add(MemoryMarshal.AsBytes<ulong>(numbers.ToArray()));
        Assert.Equal(1001, record.Count);
        Assert.Equal(50, record.At(0.5), 0.1);
        Assert.Equal(99, record.At(0.99), 0.2);
        Assert.Equal(100, record.At(1), 0.2);
        Assert.Equal(3, record.Seconds.Count); // the last of the first thousand is due in the second one
        Assert.Equal(7, record.Seconds[2].P99, 0.01);
        Assert.Equal(100, record.Percentiles[^1].Milliseconds, 0.2);
    }

    [Fact]
    public void A_second_round_goes_on_after_the_first()
    {
        var record = new LatencyRecord();
        record.Add(MemoryMarshal.AsBytes<ulong>([0, 1_000_000]));
        record.Add(MemoryMarshal.AsBytes<ulong>([0, 3_000_000]));
        Assert.Equal(2, record.Count);
        Assert.Equal([1, 3], record.Seconds.Select(static s => Math.Round(s.Max)));
    }

    [Fact]
    public void A_log_that_is_cut_off_is_refused() => Assert.Throws<LoadTestException>(() => new LatencyRecord().Add(new byte[24]));

    [Theory]
    [InlineData(1000 * 150, true)]
    [InlineData((1000 * 150) + (64 * 150), true)] // of each connection an answer has come nearly
    [InlineData((1000 * 150) - 1, false)]
    [InlineData((1000 * 150) + (65 * 150), false)]
    public void Answers_that_are_too_short_or_too_long_are_noticed_by_all_their_octets(double octets, bool whole) =>
        Assert.Equal(whole, Wrk.AreWhole(octets, 1000, (150, 150), 64));

    [Fact]
    public void The_length_of_an_answer_is_found_in_those_of_one_connection()
    {
        Assert.Equal((150, 150), Wrk.OctetsEach((20_000 * 150) + 149, 20_000, 1));

        // Of few and long ones the last, of which half has come, is too much to know it exactly.
        const double Long = 1_048_728;
        (double least, double most) = Wrk.OctetsEach((300 * Long) + (Long / 2), 300, 1);
        Assert.InRange(Long, least, most);
        Assert.True(most - least < Long / 300);
        Assert.True(Wrk.AreWhole(5000 * Long, 5000, (least, most), 64));
        Assert.False(Wrk.AreWhole(5000 * (Long - 10_000), 5000, (least, most), 4));
    }

    private static Slice Slice(string target, int number, double cpu) => new("plaintext", target, number, 1, cpu, 1, 0, 1, 1, 1, 1, 1);
}
