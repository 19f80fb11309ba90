using System.Net;
using NetGo.Http.Testing;

namespace NetGo.Http.Tests.Testing;

/// <summary>The connection in memory.</summary>
public class InMemoryStreamTests
{
    private static (InMemoryStream, InMemoryStream) CreatePair(int capacity)
    {
        var address = new IPEndPoint(IPAddress.Loopback, 1);
        (InMemoryTransport one, InMemoryTransport other) = InMemoryTransport.CreatePair(GoScheduler.Current, capacity, address, address);
        return (new InMemoryStream(one), new InMemoryStream(other));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Bytes_come_in_order_however_small_the_buffer_is(int capacity)
    {
        (InMemoryStream one, InMemoryStream other) = CreatePair(capacity);
        byte[] sent = new byte[20_000];
        new Random(capacity).NextBytes(sent);
        var received = new MemoryStream();
        Task writing = Task.Run(async () =>
        {
            var sizes = new Random(2);
            for (int at = 0, size; at < sent.Length; at += size)
            {
                size = Math.Min(sizes.Next(1, 20), sent.Length - at);
                await one.WriteAsync(sent.AsMemory(at, size));
            }
            one.CloseWrite();
        });
        byte[] buffer = new byte[13];
        while (await other.ReadAsync(buffer).AsTask().Within() is > 0 and int n)
            received.Write(buffer, 0, n);
        await writing.Within();
        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task A_read_and_a_write_that_wait_can_be_cancelled_and_tried_again()
    {
        (InMemoryStream one, InMemoryStream other) = CreatePair(4);
        using (var cancellation = new CancellationTokenSource())
        {
            Task<int> reading = one.ReadAsync(new byte[4], cancellation.Token).AsTask();
            Task writing = one.WriteAsync("12345678"u8.ToArray(), cancellation.Token).AsTask();
            Assert.False(reading.IsCompleted || writing.IsCompleted);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.Within());
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.Within());
        }
        Assert.Equal("1234", await MemoryServer.ReadAsync(other, 4));
        await other.WriteAsync("back"u8.ToArray());
        Assert.Equal("back", await MemoryServer.ReadAsync(one, 4));
        await one.WriteAsync("more"u8.ToArray()).AsTask().Within();
    }

    [Fact]
    public async Task A_read_into_nothing_waits_for_something()
    {
        (InMemoryStream one, InMemoryStream other) = CreatePair(4);
        Task<int> reading = one.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.False(reading.IsCompleted);
        await other.WriteAsync(new byte[1]);
        Assert.Equal(0, await reading.Within());
        Assert.Equal(1, await one.ReadAsync(new byte[4]));
    }

    [Fact]
    public async Task What_was_written_before_the_other_end_closed_is_read()
    {
        (InMemoryStream one, InMemoryStream other) = CreatePair(8);
        await one.WriteAsync("last"u8.ToArray());
        await one.DisposeAsync();
        Assert.Equal("last", await MemoryServer.ReadToEndAsync(other));
        await Assert.ThrowsAsync<IOException>(async () => await other.WriteAsync(new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await one.ReadExactlyAsync(new byte[1]));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await one.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task What_waits_ends_when_either_end_closes()
    {
        (InMemoryStream one, InMemoryStream other) = CreatePair(4);
        Task<int> reading = one.ReadAsync(new byte[1]).AsTask();
        Task writing = one.WriteAsync(new byte[5]).AsTask();
        Task<int> readingThere = other.ReadAsync(new byte[8]).AsTask();
        Assert.Equal(4, await readingThere.Within());
        await writing.Within();
        writing = one.WriteAsync(new byte[8]).AsTask();
        await one.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writing.Within());

        (one, other) = CreatePair(4);
        reading = one.ReadAsync(new byte[1]).AsTask();
        writing = one.WriteAsync(new byte[5]).AsTask();
        await other.DisposeAsync();
        Assert.Equal(0, await reading.Within());
        await Assert.ThrowsAsync<IOException>(() => writing.Within());
    }

    [Fact]
    public async Task An_abort_is_a_failure_to_the_other_end()
    {
        (InMemoryStream one, InMemoryStream other) = CreatePair(8);
        await one.WriteAsync("lost"u8.ToArray());
        Task<int> readingLater = one.ReadAsync(new byte[1]).AsTask();
        one.Abort();
        await Assert.ThrowsAsync<IOException>(async () => await other.ReadExactlyAsync(new byte[4]));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => readingLater.Within());
    }
}
