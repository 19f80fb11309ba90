using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>Waits, completions and closes in whatever order they come, at a port from which two threads take: one that sleeps
/// there, as a processor's machine does, and one that only looks in, as sysmon does.</summary>
public sealed class IocpPollerStressTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly IocpPoller _poller;
    private readonly GoScheduler _scheduler;
    private readonly Task[] _polling;
    private volatile bool _stop;

    public IocpPollerStressTests()
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "Completion ports and AFD are Windows'.");
        _poller = new IocpPoller();
        _scheduler = Bounded.NewScheduler(2);
        _polling = [.. new[] { -1L, 0L }.Select(timeout => Task.Factory.StartNew(
            () => Poll(timeout), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
    }

    private void Poll(long timeout)
    {
        while (!_stop)
        {
            GoroutineQueue ready = default;
            _poller.Poll(timeout, ref ready);
            _scheduler.EnqueueGlobal(ref ready);
            if (timeout == 0)
                Thread.Yield();
        }
    }

    public void Dispose()
    {
        _stop = true;
        _poller.Wake();
        Task.WaitAll(_polling, Bounded.Limit);
        _scheduler.Dispose();
        _poller.Dispose();
    }

    private (NetConnection Connection, Socket Peer) Connect()
    {
        var (descriptor, peer) = SocketPair.Make();
        return (new NetConnection(_scheduler, _poller, descriptor, default), peer);
    }

    private void NothingIsLeft()
    {
        Bounded.NoneLeft(_scheduler);
        Assert.False(_poller.HasRegistrations);
        Bounded.Until(() => _poller.CountSlots(~0) == 0, "polls that were cancelled complete");
    }

    [Fact]
    public async Task No_echo_is_lost_whatever_is_closed_around_it()
    {
        int seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage("seed {0}", seed);
        var random = new Random(seed);
        for (int round = 0; round < 4; round++)
        {
            Task[] all = [.. Enumerable.Range(0, 16).Select(_ => LiveAndEndAsync(random.Next()))];
            await Task.WhenAll(all).WaitAsync(s_limit);
        }
        NothingIsLeft();
    }

    private async Task LiveAndEndAsync(int seed)
    {
        var random = new Random(seed);
        var (connection, peer) = Connect();
        using (connection)
        using (peer)
        {
            Task served = _scheduler.RunAsync(() => EchoAsync(connection));
            int ending = random.Next(5);
            int messages = random.Next(1, 20);
            Task closed = Task.CompletedTask;
            for (int i = 0; i < messages; i++)
            {
                if (i == messages / 2 && ending < 2)
                    closed = Task.Run(ending == 0 ? connection.Close : connection.Abort);
                byte[] sent = new byte[random.Next(1, 3000)];
                random.NextBytes(sent);
                byte[]? got = await ExchangeAsync(peer, sent);
                Assert.True(got is null ? ending < 2 : got.AsSpan().SequenceEqual(sent));
                if (got is null)
                    break;
            }
            switch (ending)
            {
                case 2:
                    peer.Shutdown(SocketShutdown.Send);
                    Assert.Equal(0, await peer.ReceiveAsync(new byte[1]));
                    break;
                case 3:
                    peer.LingerState = new LingerOption(true, 0);
                    peer.Dispose();
                    break;
                case 4:
                    connection.SetReadDeadline(TimeSpan.Zero);
                    break;
                default:
                    break;
            }
            await closed;
            await served;
        }
    }

    private static async Task EchoAsync(NetConnection connection)
    {
        byte[] buffer = new byte[1000];
        try
        {
            while (await connection.ReadAsync(buffer) is > 0 and int n)
                await connection.WriteAsync(buffer.AsMemory(0, n));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or TimeoutException)
        {
            // that is how it ends
        }
        connection.Close();
    }

    // Null when the connection has ended.
    private static async Task<byte[]?> ExchangeAsync(Socket peer, byte[] sent)
    {
        byte[] got = new byte[sent.Length];
        try
        {
            await peer.SendAsync(sent);
            for (int at = 0; at < got.Length;)
            {
                int n = await peer.ReceiveAsync(got.AsMemory(at));
                if (n == 0)
                    return null;
                at += n;
            }
        }
        catch (SocketException)
        {
            return null;
        }
        return got;
    }

    [Fact]
    public async Task A_close_meets_a_reader_and_a_writer_whose_polls_complete()
    {
        byte[] much = new byte[1 << 20];
        for (int i = 0; i < 100; i++)
        {
            var (connection, peer) = Connect();
            using (connection)
            using (peer)
            {
                Task read = _scheduler.RunAsync(() => UntilClosedAsync(async () => await connection.ReadAsync(new byte[1])));
                Task write = _scheduler.RunAsync(() => UntilClosedAsync(() => connection.WriteAsync(much)));
                Task events = Task.Run(() =>
                {
                    peer.Send([1]);
                    peer.Receive(much);
                    peer.Send([2]);
                });
                if (i % 2 == 0)
                    await events;
                await Task.Run(connection.Close);
                await Task.WhenAll(read, write).Within();
                await Task.WhenAny(events).Within(); // how it ended is the peer's business
            }
        }
        NothingIsLeft();
    }

    private static async Task UntilClosedAsync(Func<ValueTask> operation)
    {
        try
        {
            while (true)
                await operation();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // closed
        }
    }

    [Fact]
    public void A_slot_is_used_again_when_its_polls_have_come_back()
    {
        List<PollDesc> rented = [];
        Queue<PollDesc> registered = [];
        var (descriptor, peer) = SocketPair.Make();
        using (peer)
        {
            // Writable: one poll completes at once, the other is cancelled.
            for (int i = 0; i < 1000; i++)
            {
                PollDesc desc = PollDescTable.Rent(_scheduler);
                rented.Add(desc);
                registered.Enqueue(desc);
                _poller.Register(descriptor, desc);
                _poller.Arm(desc, PollMode.Read);
                _poller.Arm(desc, PollMode.Write);
                if (registered.Count > 50)
                    UnregisterOldest();
                Assert.True(_poller.CountSlots(~0) < 500, "slots do not come back");
            }
            while (registered.Count > 0)
                UnregisterOldest();
            _ = SystemSockets.Close(descriptor);
        }
        Bounded.Until(() => _poller.CountSlots(~0) == 0, "polls that were cancelled complete");
        rented.ForEach(_poller.Free);

        // Nothing came to be read, and its own poll has not been cancelled yet: an event would be a former user's of the slot.
        void UnregisterOldest()
        {
            PollDesc desc = registered.Dequeue();
            Assert.False(desc.HasEvent(PollMode.Read));
            _poller.Unregister(descriptor, desc, shared: false);
        }
    }
}
