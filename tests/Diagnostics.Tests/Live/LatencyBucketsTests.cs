namespace NetGo.Diagnostics.Tests;

public sealed class LatencyBucketsTests
{
    [Fact]
    public void Each_duration_is_in_the_bucket_that_ends_at_or_above_it()
    {
        for (double seconds = 0.5e-6; seconds < 100; seconds *= 1.07)
        {
            int bucket = LatencyBuckets.BucketOf(seconds);
            Assert.True(seconds <= LatencyBuckets.EndOf(bucket), $"{seconds} s is in bucket {bucket}");
            Assert.True(bucket == 0 || seconds > LatencyBuckets.EndOf(bucket - 1), $"{seconds} s is in bucket {bucket}");
        }
        Assert.Equal(0, LatencyBuckets.BucketOf(0));
        Assert.Equal(0, LatencyBuckets.BucketOf(-1));
        Assert.Equal(LatencyBuckets.Length - 1, LatencyBuckets.BucketOf(1e6));
        Assert.Equal(LatencyBuckets.Length - 1, LatencyBuckets.BucketOf(double.PositiveInfinity));
    }

    [Fact]
    public void A_quantile_is_at_most_a_fifth_too_long()
    {
        var buckets = new LatencyBuckets();
        for (int i = 1; i <= 1000; i++)
            buckets.Add(i * 1e-3);
        long[] counts = new long[LatencyBuckets.Length];
        Assert.Equal(1.0, buckets.Take(counts), 6);
        foreach (double part in new[] { 0.01, 0.5, 0.9, 0.99, 1 })
            Assert.InRange(LatencyBuckets.Quantile(counts, part)!.Value, part, part * 1.2);
    }

    [Fact]
    public void What_many_threads_add_is_all_taken_once()
    {
        var buckets = new LatencyBuckets();
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 10_000; i++)
                buckets.Add(1e-3);
        });
        long[] counts = new long[LatencyBuckets.Length];
        buckets.Take(counts);
        Assert.Equal(80_000, counts.Sum());
        Assert.Equal(0, buckets.Take(counts));
        Assert.Equal(0, counts.Sum());
        Assert.Null(LatencyBuckets.Quantile(counts, 0.5));
    }
}
