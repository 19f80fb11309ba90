namespace NetGo.Tests;

public sealed class TraceRingTests
{
    private static void Write(TraceRing ring, long n)
    {
        ref TraceRecord record = ref ring.Next(n.ToString(System.Globalization.CultureInfo.InvariantCulture));
        record.Time = n;
        record.Goroutine = ~n;
        ring.Publish();
    }

    [Fact]
    public void Each_reader_has_a_place_of_its_own()
    {
        var ring = new TraceRing(1024);
        long slow = 0;
        long quick = 0;
        for (int i = 0; i < 10; i++)
            Write(ring, i);
        List<TraceEntry> entries = [];
        Assert.Equal(0, ring.Read(ref quick, long.MaxValue, entries));
        Assert.Equal((10, 10L), (entries.Count, quick));
        Write(ring, 10);
        entries.Clear();
        Assert.Equal(0, ring.Read(ref quick, long.MaxValue, entries));
        Assert.Equal(["10"], entries.Select(static e => e.Reference));
        entries.Clear();
        Assert.Equal(0, ring.Read(ref slow, 6, entries)); // up to a time
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], entries.Select(static e => e.Record.Time));
        entries.Clear();
        Assert.Equal(0, ring.Read(ref slow, long.MaxValue, entries));
        Assert.Equal([7, 8, 9, 10], entries.Select(static e => e.Record.Time));
    }

    [Fact]
    public void Who_is_too_slow_is_told_how_many_it_has_missed()
    {
        var ring = new TraceRing(1024);
        long place = 0;
        for (int i = 0; i < 5000; i++)
            Write(ring, i);
        List<TraceEntry> entries = [];
        long lost = ring.Read(ref place, long.MaxValue, entries);
        Assert.Equal(5000, lost + entries.Count);
        Assert.Equal(1023, entries.Count); // the slot that may be written to next is not trusted
        Assert.Equal(4999, entries[^1].Record.Time);
    }

    [Fact]
    public async Task What_is_read_while_it_is_overwritten_is_whole()
    {
        var ring = new TraceRing(1024);
        var stop = new CancellationTokenSource();
        Task writing = Task.Run(() =>
        {
            for (long n = 0; !stop.IsCancellationRequested; n++)
                Write(ring, n);
        });
        long place = 0;
        long expected = 0;
        long read = 0;
        long lost = 0;
        List<TraceEntry> entries = [];
        while (read < 500_000)
        {
            entries.Clear();
            lost += ring.Read(ref place, long.MaxValue, entries);
            foreach ((TraceRecord record, object? reference) in entries)
            {
                Assert.True(record.Time >= expected, "in order, each once");
                expected = record.Time + 1;
                Assert.Equal(~record.Time, record.Goroutine);
                Assert.Equal(record.Time, long.Parse((string)reference!, System.Globalization.CultureInfo.InvariantCulture));
            }
            read += entries.Count;
            Assert.Equal(place, read + lost);
        }
        await stop.CancelAsync();
        await writing.Within();
    }
}
