using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>What is flushed on a goroutine goes to the system when the goroutine gives way, and no later.</summary>
public sealed class DeferredFlushTests : IAsyncDisposable
{
    private readonly BufferPool _buffers = new(new BufferPoolOptions());
    private readonly GoScheduler _scheduler;
    private readonly NetpollTransportOptions _options;

    public DeferredFlushTests()
    {
        _scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 2, Buffers = _buffers });
        _options = new NetpollTransportOptions { Scheduler = _scheduler };
    }

    public async ValueTask DisposeAsync() => await Task.Run(() =>
    {
        Bounded.NoneLeft(_scheduler);
        Bounded.Until(() => _buffers.GetStatistics().Classes.Sum(static c => c.InUse) == 0, "all buffers given back");
        _scheduler.Dispose();
        _buffers.Dispose();
    });

    private Task<TransportHost> StartAsync() => TransportHost.StartAsync(new NetpollTransportFactory(_options));

    /// <summary>Runs it on a goroutine; ends there too, and so returns by way of the thread pool.</summary>
    private Task OnGoroutineAsync(Func<Task> body) => Task.Run(() => _scheduler.RunAsync(body)).Within();

    private static ValueTask<FlushResult> FlushAsync(PipeWriter output, string text) => FlushAsync(output, Bytes.Of(text));

    private static ValueTask<FlushResult> FlushAsync(PipeWriter output, byte[] bytes)
    {
        output.Write(bytes);
        return output.FlushAsync();
    }

    private static async Task AssertReceivesAsync(Socket client, string expected) =>
        Assert.Equal(expected, System.Text.Encoding.ASCII.GetString(await TransportHost.ReceiveAsync(client, expected.Length)));

    // Sysmon sends it too when it happens to look twice in between, which is rare.
    private async Task<bool> IsSeenAtOnceAsync(ConnectionContext server, Socket client, int length)
    {
        int later = 0;
        for (int i = 0; i < 20; i++)
        {
            int atOnce = 0;
            await OnGoroutineAsync(async () =>
            {
                await FlushAsync(server.Transport.Output, new byte[length]);
                atOnce = client.Available;
            });
            Bounded.Until(() => client.Available > 0, "sent when the goroutine has ended");
            if (atOnce == 0)
                later++;
            await TransportHost.ReceiveAsync(client, length);
        }
        return later == 0;
    }

    [Fact]
    public async Task A_flush_on_a_goroutine_is_sent_when_that_gives_way()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Assert.False(await IsSeenAtOnceAsync(server, client, 1_000));
    }

    [Fact]
    public async Task One_of_more_than_the_limit_is_sent_at_once()
    {
        _options.MaxDeferredBytes = 999;
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Assert.True(await IsSeenAtOnceAsync(server, client, 1_000));
    }

    [Fact]
    public async Task With_a_limit_of_0_each_is_sent_at_once()
    {
        _options.MaxDeferredBytes = 0;
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Assert.True(await IsSeenAtOnceAsync(server, client, 1));
    }

    [Fact]
    public async Task Another_thread_s_is_sent_at_once()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        int available = 0;
        var thread = new Thread(() =>
        {
            Task<FlushResult> flush = FlushAsync(server.Transport.Output, "x").AsTask();
            available = flush.IsCompleted ? client.Available : -1;
        });
        thread.Start();
        await Task.Run(thread.Join).Within();
        Assert.Equal(1, available);
    }

    [Fact]
    public async Task On_the_thread_pool_it_is_sent_when_the_work_item_gives_way()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        bool later = false;
        for (int i = 0; i < 20 && !later; i++)
        {
            await Task.Run(async () =>
            {
                await FlushAsync(server.Transport.Output, "x");
                later = client.Available == 0;
            });
            await AssertReceivesAsync(client, "x");
        }
        Assert.True(later);
    }

    [Fact]
    public async Task On_the_thread_pool_it_is_sent_while_the_work_item_blocks()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        using var received = new ManualResetEventSlim();
        Task handling = Task.Run(async () =>
        {
            await FlushAsync(server.Transport.Output, "hello");
            Assert.True(received.Wait(Bounded.Limit));
        });
        await AssertReceivesAsync(client, "hello");
        received.Set();
        await handling;
    }

    [Fact]
    public async Task Several_arrive_in_their_order()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        byte[] sent = Bytes.Random(400_000);
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client, sent.Length);
        await OnGoroutineAsync(async () =>
        {
            var random = new Random(7);
            for (int at = 0; at < sent.Length;)
            {
                int length = Math.Min(random.Next(3) == 0 ? random.Next(20_000) : random.Next(200), sent.Length - at);
                if (random.Next(2) == 0)
                    await server.Transport.Output.WriteAsync(sent.AsMemory(at, length));
                else
                    await FlushAsync(server.Transport.Output, sent[at..(at + length)]);
                at += length;
                if (random.Next(4) == 0)
                    await Go.YieldAsync();
            }
        });
        Assert.Equal(sent, await receiving);
    }

    public enum Waiting
    {
        Parked,
        Blocked,
        DeclaredBlocked,
        Computing,
        Locked,
    }

    [Theory]
    [InlineData(Waiting.Parked)]
    [InlineData(Waiting.Blocked)]
    [InlineData(Waiting.DeclaredBlocked)]
    [InlineData(Waiting.Computing)]
    [InlineData(Waiting.Locked)]
    public async Task What_was_flushed_arrives_while_the_goroutine_waits_for_the_client(Waiting waiting)
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        using var received = new ManualResetEventSlim();
        Task handling = OnGoroutineAsync(async () =>
        {
            if (waiting == Waiting.Locked)
                Go.LockOSThread();
            for (int i = 0; i < 5; i++)
            {
                await FlushAsync(server.Transport.Output, "hello");
                switch (waiting)
                {
                    case Waiting.Parked:
                        while (!received.IsSet)
                            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                        break;
                    case Waiting.DeclaredBlocked:
                        Go.Blocking(() => Assert.True(received.Wait(Bounded.Limit)));
                        break;
                    case Waiting.Computing:
                        Compute(received);
                        break;
                    default:
                        Assert.True(received.Wait(Bounded.Limit));
                        break;
                }
                received.Reset();
                await FlushAsync(server.Transport.Output, ".");
                await Go.YieldAsync();
            }
            if (waiting == Waiting.Locked)
                Go.UnlockOSThread();
        });
        for (int i = 0; i < 5; i++)
        {
            await AssertReceivesAsync(client, "hello");
            received.Set();
            await AssertReceivesAsync(client, ".");
        }
        await handling;
    }

    // Bounded.Until would sleep between looks.
    private static void Compute(ManualResetEventSlim until)
    {
        long start = Environment.TickCount64;
        while (!until.IsSet)
            Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds);
    }

    [Fact]
    public async Task What_a_handler_in_Go_Blocking_flushes_is_sent_at_once()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await OnGoroutineAsync(() =>
        {
            Go.Blocking(() =>
            {
                Task<FlushResult> flush = FlushAsync(server.Transport.Output, "x").AsTask();
                Assert.True(flush.IsCompleted);
                Bounded.Until(() => client.Available == 1, "it has come");
            });
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task An_abort_without_a_reason_sends_it_first()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await OnGoroutineAsync(async () =>
        {
            await FlushAsync(server.Transport.Output, "the last word");
            server.Abort(null!);
        });
        await AssertReceivesAsync(client, "the last word");
        Assert.Empty(await TransportHost.ReceiveAsync(client));
    }

    [Fact]
    public async Task What_is_completed_in_the_same_run_is_sent_before_the_end()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await OnGoroutineAsync(async () =>
        {
            await FlushAsync(server.Transport.Output, "the last ");
            server.Transport.Output.Write(Bytes.Of("word"));
            await server.Transport.Output.CompleteAsync();
        });
        Assert.Equal(Bytes.Of("the last word"), await TransportHost.ReceiveAsync(client));
    }

    // ---- No room ----

    private const int FillLength = 10_000;

    /// <summary>Flushes little on a goroutine, again and again, until a flush has to wait: returns that one.</summary>
    private async Task<(Task<FlushResult> Waiting, byte[] Sent)> FillAsync(
        ConnectionContext server, int flushes = int.MaxValue, CancellationToken cancellationToken = default)
    {
        var sent = new MemoryStream();
        Task<FlushResult>? waiting = null;
        await OnGoroutineAsync(async () =>
        {
            for (int i = 0; i < flushes && waiting is null; i++)
            {
                byte[] bytes = Bytes.Random(FillLength, i);
                sent.Write(bytes);
                server.Transport.Output.Write(bytes);
                ValueTask<FlushResult> flush = server.Transport.Output.FlushAsync(cancellationToken);
                if (!flush.IsCompleted)
                    waiting = flush.AsTask();
                await Go.YieldAsync();
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); // the drain, if there is one, finds that there is no room
            }
        });
        return (waiting!, sent.ToArray());
    }

    private static Action<Socket> LittleRoom => static socket => socket.ReceiveBufferSize = 16 * 1024;

    [Fact]
    public async Task Where_there_is_no_room_the_next_flush_waits_and_nothing_is_lost()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
        for (int i = 0; i < 3; i++)
        {
            (Task<FlushResult> waiting, byte[] sent) = await FillAsync(server);
            await Task.Delay(50);
            Assert.False(waiting.IsCompleted);
            Assert.Equal(sent, await TransportHost.ReceiveAsync(client, sent.Length));
            FlushResult result = await waiting.Within();
            Assert.False(result.IsCanceled || result.IsCompleted);
        }
    }

    [Fact]
    public async Task The_last_one_is_sent_when_there_is_room()
    {
        await using TransportHost host = await StartAsync();
        int last = 0;
        for (int attempt = 0; attempt < 50 && last < 3; attempt++)
        {
            // How much goes in until there is no room; and as much again, so that the last flush is the one that finds none.
            (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
            (Task<FlushResult> _, byte[] sent) = await FillAsync(server);
            server.Abort();
            (client, server) = await host.ConnectAsync(LittleRoom);
            (Task<FlushResult>? waiting, sent) = await FillAsync(server, flushes: sent.Length / FillLength - 1);
            Assert.Equal(sent, await TransportHost.ReceiveAsync(client, sent.Length));
            if (waiting is null)
                last++;
            else
                await waiting.Within(); // there was less room than before, and one more was flushed
        }
        Assert.Equal(3, last);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_cancelled_flush_of_much_has_not_sent_is_sent_nevertheless(bool isDirect)
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
        byte[] sent = Bytes.Random(20_000_000);
        byte[] copy = [.. sent];
        using var source = new CancellationTokenSource();
        ValueTask<FlushResult> flush;
        if (isDirect)
        {
            flush = server.Transport.Output.WriteAsync(sent, source.Token);
        }
        else
        {
            server.Transport.Output.Write(sent);
            flush = server.Transport.Output.FlushAsync(source.Token);
        }
        Task<FlushResult> waiting = flush.AsTask();
        await Task.Delay(20);
        Assert.False(waiting.IsCompleted);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());
        sent.AsSpan().Clear(); // it is the caller's again
        byte[] received = await TransportHost.ReceiveAsync(client, copy.Length);
        Assert.True(copy.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task A_flush_that_waits_behind_others_can_be_cancelled()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
        (Task<FlushResult> waiting, byte[] sent) = await FillAsync(server);
        server.Transport.Output.CancelPendingFlush();
        Assert.True((await waiting.Within()).IsCanceled);
        Bounded.Until(() => _scheduler.Goroutines().All(static g => g.Status == GoroutineStatus.Waiting), "the sending waits for room");
        using var source = new CancellationTokenSource();
        (waiting, byte[] more) = await FillAsync(server, cancellationToken: source.Token);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within());
        byte[] received = await TransportHost.ReceiveAsync(client, sent.Length + more.Length); // without another flush
        Assert.Equal(sent.Concat(more), received);
        await FlushAsync(server.Transport.Output, "on it goes").AsTask().Within();
        await AssertReceivesAsync(client, "on it goes");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_flush_that_waits_behind_others_ends_with_the_connection(bool isPeer)
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
        (Task<FlushResult> waiting, byte[] _) = await FillAsync(server);
        if (isPeer)
            TransportHost.Reset(client);
        else
            server.Abort();
        Assert.True((await waiting.Within()).IsCompleted);
        Assert.True((await FlushAsync(server.Transport.Output, "x").AsTask().Within()).IsCompleted);
    }

    [Fact]
    public async Task Disposing_waits_for_what_is_sent_in_the_background()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
        (Task<FlushResult> _, byte[] sent) = await FillAsync(server);
        Task disposing = server.DisposeAsync().AsTask();
        await Task.Delay(50);
        Assert.False(disposing.IsCompleted);
        Assert.Equal(sent, await TransportHost.ReceiveAsync(client));
        await disposing.Within();
    }

    [Fact]
    public async Task Nothing_is_lost_when_flushes_are_cancelled_all_the_time()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(LittleRoom);
        byte[] sent = Bytes.Random(3_000_000);
        using var done = new CancellationTokenSource();
        Task cancelling = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                server.Transport.Output.CancelPendingFlush();
                Thread.SpinWait(500);
            }
        });
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client);
        int cancelled = 0;
        await OnGoroutineAsync(async () =>
        {
            var random = new Random(3);
            for (int at = 0; at < sent.Length;)
            {
                int length = Math.Min(random.Next(2) == 0 ? random.Next(60_000) : random.Next(2_000), sent.Length - at);
                FlushResult result = random.Next(2) == 0
                    ? await server.Transport.Output.WriteAsync(sent.AsMemory(at, length))
                    : await FlushAsync(server.Transport.Output, sent[at..(at + length)]);
                cancelled += result.IsCanceled ? 1 : 0;
                at += length;
            }
        });
        done.Cancel();
        await cancelling.Within();
        await server.Transport.Output.CompleteAsync();
        byte[] received = await receiving.Within();
        Assert.True(sent.AsSpan().SequenceEqual(received));
        Assert.True(cancelled > 0);
    }

    [Fact]
    public void A_limit_out_of_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetpollTransportOptions { MaxDeferredBytes = -1 });
        Assert.Equal(16 * 1024, new NetpollTransportOptions().MaxDeferredBytes);
    }
}
