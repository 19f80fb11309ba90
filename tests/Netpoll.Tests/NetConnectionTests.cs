using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Netpoll.Tests;

public sealed class NetConnectionTests
{
    private const int Mebibyte = 1 << 20;

    private static byte[] Pattern(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReceiveAllAsync(Socket peer, int length)
    {
        byte[] bytes = new byte[length];
        for (int n = 0; n < length;)
        {
            int got = await peer.ReceiveAsync(bytes.AsMemory(n)).AsTask().Within();
            Assert.True(got > 0);
            n += got;
        }
        return bytes;
    }

    private static async Task<byte[]> ReadToEndAsync(NetConnection connection, int chunk = 4096)
    {
        var all = new MemoryStream();
        byte[] buffer = new byte[chunk];
        while (await connection.ReadAsync(buffer) is > 0 and int n)
            all.Write(buffer, 0, n);
        return all.ToArray();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Echo(string address)
    {
        using var net = new Loopback(address: IPAddress.Parse(address));
        var (connection, peer) = await net.ConnectAsync();
        Assert.Equal(peer.LocalEndPoint, connection.RemoteEndPoint);
        Assert.Equal(peer.RemoteEndPoint, connection.LocalEndPoint);
        Task echo = net.Run(async () =>
        {
            byte[] buffer = new byte[100];
            while (await connection.ReadAsync(buffer) is > 0 and int n)
                await connection.WriteAsync(buffer.AsMemory(0, n));
            connection.CloseWrite();
        });
        for (int i = 1; i < 300; i++)
        {
            byte[] sent = Pattern(i, i);
            await peer.SendAsync(sent);
            Assert.Equal(sent, await ReceiveAllAsync(peer, sent.Length));
        }
        peer.Shutdown(SocketShutdown.Send);
        await echo;
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Within());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Large_amounts_both_ways_at_once(int processors)
    {
        using var net = new Loopback(processors);
        var (connection, peer) = await net.ConnectAsync();
        byte[] there = Pattern(16 * Mebibyte, 1), back = Pattern(16 * Mebibyte, 2);
        Task<byte[]> read = net.Run(() => ReadToEndAsync(connection));
        Task write = net.Run(async () =>
        {
            await connection.WriteAsync(back);
            connection.CloseWrite();
        });
        Task<byte[]> received = ReceiveAllAsync(peer, back.Length);
        await peer.SendAsync(there).Within();
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(back, await received);
        Assert.Equal(there, await read);
        await write;
    }

    [Fact]
    public async Task A_vectored_write_of_many_pieces_with_partial_writes()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        byte[] all = Pattern(3 * Mebibyte);
        Segment first = new(default, 0);
        Segment last = first;
        var random = new Random(5);
        for (int at = 0; at < all.Length;)
        {
            int length = Math.Min(all.Length - at, random.Next(4) == 0 ? 0 : random.Next(1, 100_000));
            last = last.Append(all.AsMemory(at, length));
            at += length;
        }
        Task write = net.Run(async () => await connection.WriteAsync(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length)));
        Assert.Equal(all, await ReceiveAllAsync(peer, all.Length));
        await write;
        await net.Run(async () => await connection.WriteAsync(ReadOnlySequence<byte>.Empty));
        await net.Run(async () => await connection.WriteAsync(ReadOnlyMemory<byte>.Empty));
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    [Fact]
    public async Task Each_direction_ends_by_itself()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        connection.CloseWrite();
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Within());
        Task<byte[]> read = net.Run(() => ReadToEndAsync(connection));
        byte[] sent = Pattern(100_000);
        await peer.SendAsync(sent).Within();
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, await read);
        var e = await Assert.ThrowsAsync<IOException>(() => net.Run(async () => await connection.WriteAsync(sent)));
        Assert.IsType<SocketException>(e.InnerException);
    }

    [Fact]
    public async Task The_end_that_comes_with_the_last_bytes_is_seen()
    {
        using var net = new Loopback();
        for (int i = 0; i < 300; i++)
        {
            var (connection, peer) = await net.ConnectAsync();
            Task<byte[]> read = net.Run(() => ReadToEndAsync(connection));
            await peer.SendAsync(new byte[10]); // its reader may have parked, and be registered
            if (i % 2 == 0)
                Bounded.Until(() => net.Scheduler.AllIdle, "parked");
            await peer.SendAsync(new byte[i + 1]);
            peer.Shutdown(SocketShutdown.Send);
            Assert.Equal(11 + i, (await read).Length);
            connection.Close();
        }
    }

    [Fact]
    public async Task An_end_in_the_same_event_as_the_last_bytes_is_seen()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test knows how many events epoll has for that.");
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var poller = new EpollPoller(); // polled by hand: one event in all
        var (descriptor, peer) = SocketPair.Make();
        using (peer)
        {
            using var connection = new NetConnection(scheduler, poller, descriptor, default);
            var first = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<int> second = scheduler.RunAsync(async () =>
            {
                byte[] buffer = new byte[100];
                first.SetResult(await connection.ReadAsync(buffer));
                return await connection.ReadAsync(buffer);
            });
            Bounded.Until(() => scheduler.AllIdle, "parked");
            peer.Send([1, 2, 3]);
            peer.Shutdown(SocketShutdown.Send);
            GoroutineQueue ready = default;
            while (ready.Count == 0)
                poller.Poll(1_000_000_000, ref ready);
            scheduler.EnqueueGlobal(ref ready);
            Assert.Equal(3, await first.Task.Within());
            Assert.Equal(0, await second.Within());
        }
    }

    [Fact]
    public async Task A_reset_is_an_IOException_with_the_cause_inside()
    {
        LibkqueueLimits.SkipWhereErrorsAreLost();
        Assert.SkipWhen(Wine.IsHere, Wine.ForgetsResets);
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[1]));
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
        var e = await Assert.ThrowsAsync<IOException>(() => read);
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
    }

    [Fact]
    public async Task Abort_resets_the_peer()
    {
        Assert.SkipWhen(Wine.IsHere, Wine.ForgetsResets);
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[1]));
        connection.Abort();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
        var e = await Assert.ThrowsAsync<SocketException>(() => peer.ReceiveAsync(new byte[1]).Within());
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }

    [Fact]
    public async Task A_deadline_is_a_TimeoutException_and_the_connection_goes_on()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        connection.SetReadDeadline(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAsync<TimeoutException>(() => net.Run(async () => await connection.ReadAsync(new byte[1])));
        connection.SetReadDeadline(null);
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[10]));
        connection.SetReadDeadline(TimeSpan.FromMilliseconds(20)); // set while it is parked
        await Assert.ThrowsAsync<TimeoutException>(() => read);
        connection.SetReadDeadline(null);
        read = net.Parked(() => connection.ReadAsync(new byte[10]));
        await peer.SendAsync(new byte[7]);
        Assert.Equal(7, await read);
        SocketPair.Fill(connection.Descriptor);
        connection.SetWriteDeadline(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAsync<TimeoutException>(() => net.Run(async () => await connection.WriteAsync(new byte[Mebibyte])));
    }

    // As an HTTP server does it: a long one between requests, a short one for each.
    [Fact]
    public async Task Deadlines_that_move_on_with_each_request_do_not_touch_the_timers()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        Task echo = net.Run(async () =>
        {
            byte[] buffer = new byte[10];
            SetDeadlines();
            long order = connection.Desc.StartOrder;
            for (int i = 0; i < 1000; i++)
            {
                Assert.Equal(1, await connection.ReadAsync(buffer));
                SetDeadlines();
                await connection.WriteAsync(buffer.AsMemory(0, 1));
                Assert.Equal(order, connection.Desc.StartOrder); // not started again,
                Assert.True(connection.Desc.HeapIndex >= 0); // nor stopped
            }

            void SetDeadlines()
            {
                connection.SetReadDeadline(TimeSpan.FromMinutes(30));
                connection.SetWriteDeadline(TimeSpan.FromMinutes(30));
                connection.SetReadDeadline(TimeSpan.FromMinutes(130));
            }
        });
        byte[] one = new byte[1];
        for (int i = 0; i < 1000 && !echo.IsCompleted; i++)
        {
            await peer.SendAsync(one).Within();
            await Task.WhenAny(peer.ReceiveAsync(one).Within(), echo);
        }
        await echo;
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-10_000)] // Timeout.InfiniteTimeSpan
    public async Task A_time_out_that_is_for_ever_does_not_pass_at_once(long ticks)
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        connection.SetReadDeadline(TimeSpan.FromTicks(ticks));
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[10]));
        await peer.SendAsync(new byte[7]);
        Assert.Equal(7, await read);
    }

    [Fact]
    public async Task Cancellation_ends_the_wait_and_the_connection_goes_on()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        for (int i = 0; i < 20; i++)
        {
            using var source = new CancellationTokenSource();
            Task<int> read = net.Parked(() => connection.ReadAsync(new byte[10], source.Token));
            await source.CancelAsync();
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
            Assert.Equal(source.Token, e.CancellationToken);
            read = net.Parked(() => connection.ReadAsync(new byte[10]));
            await peer.SendAsync(new byte[3]);
            Assert.Equal(3, await read);
        }
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            net.Run(async () => await connection.ReadAsync(new byte[1], new CancellationToken(true))));
    }

    [Fact]
    public async Task A_cancellation_that_comes_with_an_event_for_nothing_is_not_forgotten()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using INetPoller poller = OperatingSystem.IsWindows() ? new IocpPoller() : new EpollPoller(); // never polled: the events are made by hand
        var (descriptor, peer) = SocketPair.Make();
        using (peer)
        {
            using var connection = new NetConnection(scheduler, poller, descriptor, default);
            using var source = new CancellationTokenSource();
            SocketPair.Fill(descriptor);
            Task write = scheduler.RunAsync(async () => await connection.WriteAsync(new byte[Mebibyte], source.Token));
            Bounded.Until(() => scheduler.AllIdle, "parked");
            GoroutineQueue ready = default;
            connection.Desc.EventCame(PollMode.Write, ref ready);
            await source.CancelAsync(); // between the event and the woken goroutine's retry, which finds no room
            scheduler.EnqueueGlobal(ref ready);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Within());
        }
    }

    [Fact]
    public async Task Close_ends_what_is_parked_and_all_that_comes_later()
    {
        using var net = new Loopback(2);
        byte[] more = new byte[32 * Mebibyte]; // than the system takes
        for (int i = 0; i < 50; i++)
        {
            var (connection, _) = await net.ConnectAsync();
            Task write = net.Parked(() => connection.WriteAsync(more));
            Task<int> read = net.Parked(() => connection.ReadAsync(new byte[1]));
            await Task.Run(connection.Close);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => write);
            connection.Close();
        }
    }

    [Fact]
    public async Task What_is_used_after_Close_closes_nobody_elses_descriptor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test knows which number Linux gives next.");
        using var net = new Loopback();
        var (connection, _) = await net.ConnectAsync();
        nint number = connection.Descriptor;
        connection.Close();
        // The system gives the lowest free number: have it taken again.
        var opened = new List<SafeFileHandle>();
        bool IsOpen(SafeFileHandle handle) => File.Exists($"/proc/self/fd/{handle.DangerousGetHandle()}");
        try
        {
            do
            {
                Assert.True(opened.Count < 100);
                opened.Add(File.OpenHandle("/dev/zero"));
            }
            while ((int)opened[^1].DangerousGetHandle() != number);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => net.Run(async () => await connection.ReadAsync(new byte[1])));
            Assert.True(IsOpen(opened[^1]), "closed twice");
            await Assert.ThrowsAsync<ObjectDisposedException>(() => net.Run(async () => await connection.WriteAsync(new byte[1])));
            connection.Abort();
            connection.Close();
            Assert.True(IsOpen(opened[^1]), "closed twice");
            // Nor is the PollDesc handed out twice.
            PollDesc first = PollDescTable.Rent(net.Scheduler), second = PollDescTable.Rent(net.Scheduler);
            Assert.NotSame(first, second);
            PollDescTable.Return(second);
            PollDescTable.Return(first);
        }
        finally
        {
            foreach (SafeFileHandle handle in opened)
            {
                // One that the code under test has closed must not be closed again here.
                if (!IsOpen(handle))
                    handle.SetHandleAsInvalid();
                handle.Dispose();
            }
        }
    }

    [Fact]
    public async Task A_read_into_nothing_waits_until_there_is_something()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        Task<int> wait = net.Parked(() => connection.ReadAsync(Memory<byte>.Empty));
        await peer.SendAsync(new byte[10]);
        Assert.Equal(0, await wait);
        Assert.Equal(4, await net.Run(async () => await connection.ReadAsync(new byte[4])));
        // Six are left, and their event has been consumed.
        Assert.Equal(0, await net.Run(async () => await connection.ReadAsync(Memory<byte>.Empty)));
        Assert.Equal(6, await net.Run(async () => await connection.ReadAsync(new byte[6])));
        wait = net.Parked(() => connection.ReadAsync(Memory<byte>.Empty)); // nothing is left
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await wait);
        Assert.Equal(0, await net.Run(async () => await connection.ReadAsync(new byte[1])));
        Assert.Equal(0, await net.Run(async () => await connection.ReadAsync(Memory<byte>.Empty)));
    }

    [Fact]
    public async Task A_second_reader_is_refused_and_the_first_reads_on()
    {
        using var net = new Loopback();
        var (connection, peer) = await net.ConnectAsync();
        Task<int> read = net.Parked(() => connection.ReadAsync(new byte[10]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => net.Run(async () => await connection.ReadAsync(new byte[10])));
        await peer.SendAsync(new byte[5]);
        Assert.Equal(5, await read);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task From_a_thread_that_runs_no_goroutine(int processors)
    {
        using var net = new Loopback(processors);
        var (connection, peer) = await net.ConnectAsync();
        Bounded.Until(() => net.Scheduler.AllIdle, "the accepting goroutine is parked");
        long before = net.Scheduler.GoroutineCount;
        await Task.Run(async () =>
        {
            byte[] buffer = new byte[100];
            for (int i = 0; i < 100; i++)
            {
                ValueTask<int> read = connection.ReadAsync(buffer);
                await peer.SendAsync(new byte[7]);
                Assert.Equal(7, await read);
                Assert.Null(Machine.OfThisThread);
            }
        }).Within();
        // And nothing of that is left in this scheduler: its goroutines stay its own.
        await net.Run(() => Task.WhenAll(Enumerable.Range(0, 200).Select(_ => net.Scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            Assert.Same(net.Scheduler, ((Goroutine)SynchronizationContext.Current!).Scheduler);
            Assert.Same(net.Scheduler, Machine.OfThisThread!.Scheduler);
        }))));
        Bounded.Until(() => net.Scheduler.GoroutineCount == before, "the count is what it was");
    }

    [Fact]
    public async Task A_goroutine_of_another_scheduler_stays_on_its_own()
    {
        using var net = new Loopback();
        using GoScheduler other = Bounded.NewScheduler(1);
        var (connection, peer) = await net.ConnectAsync();
        Task run = other.RunAsync(async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                Assert.Equal(3, await connection.ReadAsync(new byte[10]));
                Assert.Same(other, Machine.OfThisThread!.Scheduler);
                await connection.WriteAsync(new byte[3]);
            }
        });
        for (int i = 0; i < 20; i++)
        {
            await peer.SendAsync(new byte[3]);
            Task<byte[]> answer = ReceiveAllAsync(peer, 3);
            await Task.WhenAny(run, answer).Within();
            if (run.IsFaulted)
                break;
            await answer;
        }
        await run.Within();
        Bounded.NoneLeft(other);
    }

    [Fact]
    public async Task A_goroutine_that_computes_does_not_keep_a_reader_waiting()
    {
        // One processor, whose poller came after the computing began: nobody but sysmon can look into it.
        using var net = new Loopback();
        bool stop = false;
        using Socket peer = net.NewSocket();
        var read = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accepted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        net.Scheduler.Spawn(async () =>
        {
            using NetConnection connection = (await net.Listener.AcceptAsync(0))!;
            Go.Spawn(() =>
            {
                accepted.SetResult();
                while (!Volatile.Read(ref stop))
                    Thread.SpinWait(20);
            });
            read.SetResult(await connection.ReadAsync(new byte[10]));
        });
        try
        {
            await peer.ConnectAsync(net.Listener.LocalEndPoint).Within();
            await accepted.Task.Within();
            await peer.SendAsync(new byte[4]);
            Assert.Equal(4, await read.Task.Within());
        }
        finally
        {
            Volatile.Write(ref stop, true);
        }
    }

    [Fact]
    public async Task A_goroutine_that_computes_does_not_keep_the_first_accept_waiting()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        bool stop = false;
        var port = new TaskCompletionSource<IPEndPoint>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accepted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.Spawn(async () =>
        {
            // The processor has not been idle since its poller was attached, so it has not taken it over.
            using NetListener listener = NetListener.Listen("127.0.0.1:0");
            Go.Spawn(() =>
            {
                port.SetResult((IPEndPoint)listener.LocalEndPoint);
                while (!Volatile.Read(ref stop))
                    Thread.SpinWait(20);
            });
            using NetConnection? connection = await listener.AcceptAsync(0);
            accepted.SetResult();
        });
        try
        {
            using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(await port.Task.Within()).Within();
            await accepted.Task.Within();
        }
        finally
        {
            Volatile.Write(ref stop, true);
        }
        Bounded.NoneLeft(scheduler);
    }
}
