using System.Net;

namespace NetGo.Netpoll.Tests;

public sealed class DatagramBatchTests
{
    private static readonly AddressPort s_somebody = new(IPAddress.Loopback, 1);

    [Fact]
    public void Datagrams_lie_where_they_were_put()
    {
        var batch = new DatagramBatch(3, 10);
        Assert.Equal(3, batch.Capacity);
        Assert.Equal(10, batch.DatagramSize);
        batch.Add([1, 2, 3], s_somebody);
        batch.Place(1).Span.Fill(9);
        batch.Add(10);
        batch.Add([]);
        Assert.Equal(3, batch.Count);
        Assert.Equal([1, 2, 3], batch.Data(0).ToArray());
        Assert.Equal(new DatagramInfo(3, s_somebody), batch[0]);
        Assert.Equal(Enumerable.Repeat((byte)9, 10), batch.Data(1).ToArray());
        Assert.Equal(0, batch.Data(2).Length);
        batch[0] = batch[0] with { Length = 5 };
        Assert.Equal(5, batch.Data(0).Length);
        Assert.Throws<InvalidOperationException>(() => batch.Add(1));
        batch.Clear();
        Assert.Equal(0, batch.Count);
        batch.Add([4]);
        Assert.Equal([4], batch.Data(0).ToArray());
    }

    [Fact]
    public void The_memory_is_the_callers_where_he_brings_it()
    {
        byte[] memory = new byte[35];
        var batch = new DatagramBatch(memory.AsMemory(1), 10);
        Assert.Equal(3, batch.Capacity);
        batch.Add([1]);
        batch.Add([2]);
        Assert.Equal((1, 2), (memory[1], memory[11]));
        Assert.Equal(DatagramBatch.MaxCapacity, new DatagramBatch(new byte[10_000], 1).Capacity);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramBatch(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramBatch(DatagramBatch.MaxCapacity + 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramBatch(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramBatch(new byte[9], 10));
        var batch = new DatagramBatch(2, 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add(new byte[11]));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Data(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Place(2));
        batch.Add(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch[0] = new DatagramInfo(11, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch[1] = default);
    }
}
