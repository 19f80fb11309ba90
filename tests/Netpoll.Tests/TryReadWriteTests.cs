using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>TryRead and TryWrite with their waits: for who wants to hold no buffer while nothing comes.</summary>
public sealed class TryReadWriteTests
{
    [Theory]
    [InlineData(10)] // less than is there: what is left has had its event
    [InlineData(1000)]
    public async Task Everything_is_read_and_then_the_end(int bufferSize)
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        byte[] sent = [.. Enumerable.Range(0, 5000).Select(static i => (byte)i)];
        Task<byte[]> read = net.Run(async () =>
        {
            var got = new MemoryStream();
            byte[] buffer = new byte[bufferSize];
            while (true)
            {
                await connection.WaitToReadAsync();
                while (connection.TryRead(buffer, out int n))
                {
                    if (n == 0)
                        return got.ToArray();
                    got.Write(buffer, 0, n);
                    if (got.Length % 3 == 0)
                        break; // a wait that is begun too early comes back
                }
            }
        });
        foreach (byte[] piece in sent.Chunk(700))
        {
            await peer.SendAsync(piece);
            Bounded.Until(() => net.Scheduler.AllIdle, "parked");
        }
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, await read);
    }

    [Fact]
    public async Task A_wait_parks_when_there_is_nothing_and_ends_with_the_next_bytes()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        byte[] buffer = new byte[10];
        for (int i = 0; i < 3; i++)
        {
            Assert.False(connection.TryRead(buffer, out int none));
            Assert.Equal(0, none);
            Task wait = net.Parked(() => connection.WaitToReadAsync());
            await peer.SendAsync(new byte[] { 1, 2, 3 });
            await wait;
            Assert.True(connection.TryRead(buffer, out int n));
            Assert.Equal(3, n);
        }
    }

    [Fact]
    public async Task A_write_that_is_not_taken_whole_waits_for_room()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        byte[] block = new byte[1 << 20];
        long sent = 0;
        while (connection.TryWrite(block, out int n))
            sent += n;
        connection.TryWrite(block, out int rest);
        Task drain = Task.Run(() =>
        {
            byte[] buffer = new byte[1 << 16];
            while (peer.Receive(buffer) > 0)
            {
            }
        });
        await net.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                await connection.WaitToWriteAsync();
                connection.TryWrite(block, out _);
            }
            connection.CloseWrite();
        });
        await drain.Within();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wait_for_room_that_is_there_does_not_park(bool after)
    {
        using var net = new Loopback();
        var (connection, _) = await net.ConnectAsync();
        if (after)
            Assert.True(connection.TryWrite([1], out _));
        await net.Run(async () =>
        {
            await connection.WaitToWriteAsync();
            await connection.WaitToWriteAsync();
        });
    }

    [Fact]
    public async Task Waits_end_by_deadline_close_and_cancellation()
    {
        using var net = new Loopback();
        var (connection, _) = await net.ConnectAsync();
        using var source = new CancellationTokenSource();
        Task wait = net.Parked(() => connection.WaitToReadAsync(source.Token));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        Assert.False(connection.TryRead(new byte[1], out _));
        wait = net.Parked(() => connection.WaitToReadAsync());
        connection.SetReadDeadline(TimeSpan.Zero);
        await Assert.ThrowsAsync<TimeoutException>(() => wait);
        await Assert.ThrowsAsync<TimeoutException>(() => net.Run(async () => await connection.WaitToReadAsync()));
        connection.SetReadDeadline(null);
        Assert.False(connection.TryRead(new byte[1], out _)); // an event may have come with the deadline, for all that it knows
        wait = net.Parked(() => connection.WaitToReadAsync());
        connection.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait);
        Assert.Throws<ObjectDisposedException>(() => connection.TryRead(new byte[1], out _));
        Assert.Throws<ObjectDisposedException>(() => connection.TryWrite(new byte[1], out _));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => net.Run(async () => await connection.WaitToWriteAsync()));
    }

    [Fact]
    public async Task Deadlines_are_absolute_or_from_now_and_once_passed_end_reads_that_need_not_wait()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        await peer.SendAsync(new byte[] { 1 });
        connection.SetReadDeadline(DateTimeOffset.UtcNow.AddSeconds(-1));
        await Assert.ThrowsAsync<TimeoutException>(() => net.Run(async () => await connection.ReadAsync(new byte[1])));
        connection.SetDeadline(DateTimeOffset.UtcNow.AddHours(1));
        Assert.Equal(1, await net.Run(async () => await connection.ReadAsync(new byte[1])));
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[1]));
        connection.SetReadDeadline(DateTimeOffset.UtcNow.AddMilliseconds(30));
        await Assert.ThrowsAsync<TimeoutException>(() => read);
        connection.SetWriteDeadline(TimeSpan.Zero);
        await Assert.ThrowsAsync<TimeoutException>(() => net.Run(async () => await connection.WriteAsync(new byte[1])));
        connection.SetDeadline(null);
        await net.Run(async () => await connection.WriteAsync(new byte[1]));
    }
}
