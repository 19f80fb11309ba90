using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace NetGo.Connections.Tests;

/// <summary>The contract on NetGo, and what only NetGo's transport does.</summary>
public sealed class NetpollTransportTests : NetGoTransportContract, IAsyncDisposable
{
    private readonly BufferPool _buffers = new(new BufferPoolOptions());
    private readonly GoScheduler _scheduler;

    public NetpollTransportTests() => _scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 2, Buffers = _buffers });

    protected override NetpollTransportOptions CreateOptions() => new() { Scheduler = _scheduler };

    // The test may have ended on a goroutine of the scheduler, inline: that one has to end first.
    public async ValueTask DisposeAsync() => await Task.Run(() =>
    {
        Bounded.NoneLeft(_scheduler);
        Bounded.Until(() => BuffersInUse == 0, "all buffers given back");
        _scheduler.Dispose();
        _buffers.Dispose();
    });

    private long BuffersInUse => _buffers.GetStatistics().Classes.Sum(static c => c.InUse);

    [Fact]
    public async Task A_connection_that_waits_holds_no_buffer()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            Task<string> read = server.Transport.Input.ReadTextAsync();
            await Task.Delay(20);
            Assert.Equal(0, BuffersInUse);
            await TransportHost.SendAsync(client, Bytes.Of("x"));
            Assert.Equal("x", await read);
            await server.Transport.Output.WriteAsync(Bytes.Random(100_000));
            await TransportHost.ReceiveAsync(client, 100_000);
        }
    }

    [Fact]
    public async Task What_awaits_a_read_goes_on_on_the_scheduler_without_a_SynchronizationContext()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Task<(bool, bool, SynchronizationContext?)> handler = Task.Run(async () =>
        {
            ReadResult result = await server.Transport.Input.ReadAsync();
            bool isPool = Thread.CurrentThread.IsThreadPoolThread;
            SynchronizationContext? context = SynchronizationContext.Current;
            server.Transport.Input.AdvanceTo(result.Buffer.End);
            await Task.Delay(1); // foreign: it goes on where ASP.NET Core's code does
            return (isPool, Thread.CurrentThread.IsThreadPoolThread, context);
        });
        await Task.Delay(20);
        await TransportHost.SendAsync(client, Bytes.Of("x"));
        Assert.Equal((false, true, null), await handler.Within());
    }

    [Fact]
    public async Task A_goroutine_that_reads_goes_on_as_that_goroutine()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Task<(SynchronizationContext?, SynchronizationContext?, bool)> body = _scheduler.RunAsync(async () =>
        {
            SynchronizationContext? before = SynchronizationContext.Current;
            ReadResult result = await server.Transport.Input.ReadAsync(); // itself: a task in between would come back by a post
            SynchronizationContext? after = SynchronizationContext.Current;
            server.Transport.Input.AdvanceTo(result.Buffer.End);
            await Task.Delay(1);
            return (before, after, Thread.CurrentThread.IsThreadPoolThread);
        });
        await Task.Delay(20);
        await TransportHost.SendAsync(client, Bytes.Of("x"));
        (SynchronizationContext? before, SynchronizationContext? after, bool isPool) = await body.Within();
        Assert.NotNull(before);
        Assert.Same(before, after);
        Assert.False(isPool);
    }

    // A send takes the error away from the system, and may lose its core before it has said so: a read finds the mere end then.
    [Fact]
    public async Task A_reset_that_a_send_has_found_is_no_peaceful_end_for_a_read_meanwhile()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        var connection = (NetpollConnection)server;
        var read = new TaskCompletionSource<bool>();
        var reading = new Thread(() =>
        {
            try
            {
                read.SetResult(server.Transport.Input.TryRead(out _));
            }
            catch (IOException e)
            {
                read.SetException(e);
            }
        });
        using (((ConnectionWriter)server.Transport.Output).PauseSends())
        {
            int error = ResetAndTakeError(client, connection);
            reading.Start();
            Bounded.Until(() => read.Task.IsCompleted || reading.ThreadState.HasFlag(ThreadState.WaitSleepJoin), "the read has found the end");
            connection.PeerHasFailed(error);
        }
        await Assert.ThrowsAsync<ConnectionResetException>(() => read.Task.Within());
    }

    [Fact]
    public async Task A_reset_that_a_send_has_found_is_no_peaceful_end_for_who_looks_later()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        var connection = (NetpollConnection)server;
        CancellationToken closed = server.ConnectionClosed;
        connection.PeerHasFailed(ResetAndTakeError(client, connection));
        ((IThreadPoolWorkItem)connection).Execute(); // as the poller's word does, now or before
        await FiresAsync(closed);
        await Assert.ThrowsAsync<ConnectionResetException>(() => server.Transport.Input.ReadAsync().AsTask().Within());
    }

    private static int ResetAndTakeError(Socket client, NetpollConnection connection)
    {
        TransportHost.Reset(client);
        int error = 0;
        Bounded.Until(() => (error = connection.Socket.TryWrite("x"u8)) < 0, "the error is taken");
        return error;
    }

    [Fact]
    public async Task A_handler_that_blocks_holds_nobody_else_up()
    {
        using var one = Bounded.NewScheduler(1);
        await using (TransportHost host = await TransportHost.StartAsync(new NetpollTransportFactory(new NetpollTransportOptions { Scheduler = one })))
        {
            (Socket blockedClient, ConnectionContext blocked) = await host.ConnectAsync();
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            using var release = new ManualResetEventSlim();
            using var entered = new ManualResetEventSlim();
            Task blocking = Task.Run(async () =>
            {
                await blocked.Transport.Input.ReadTextAsync();
                entered.Set();
                Assert.True(release.Wait(Bounded.Limit));
            });
            Task echoing = Task.Run(async () =>
            {
                for (int i = 0; i < 10; i++)
                    await server.Transport.Output.WriteAsync(Bytes.Of(await server.Transport.Input.ReadTextAsync()));
            });
            await Task.Delay(20);
            await TransportHost.SendAsync(blockedClient, Bytes.Of("x"));
            Assert.True(entered.Wait(Bounded.Limit));
            for (int i = 0; i < 10; i++)
            {
                await TransportHost.SendAsync(client, Bytes.Of($"{i}"));
                Assert.Equal(Bytes.Of($"{i}"), await TransportHost.ReceiveAsync(client, 1));
            }
            release.Set();
            await blocking.Within();
            await echoing.Within();
        }
        await Task.Run(() => Bounded.NoneLeft(one));
    }

    [Fact]
    public async Task Reads_and_flushes_that_nobody_awaits_keep_no_descriptor()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        LeaveRead(server.Transport.Input);
        while (LeaveFlush(server.Transport.Output))
        {
        }
        int sockets = OpenSockets.Count;
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client);
        await server.DisposeAsync().AsTask().Within(); // sends what is left
        if (OperatingSystem.IsLinux())
            Bounded.Until(() => OpenSockets.Count < sockets, "the descriptor closed");
        byte[] received = await receiving.Within();
        Assert.True(received.Length > 0 && received.Length % 1_000_000 == 0);
    }

#pragma warning disable CA2012 // that nobody awaits them is what it is about
    private static void LeaveRead(PipeReader input) => Assert.False(input.ReadAsync().IsCompleted);

    private static bool LeaveFlush(PipeWriter output)
    {
        output.Write(Bytes.Random(1_000_000));
        return output.FlushAsync().IsCompleted;
    }
#pragma warning restore CA2012

    [Fact]
    public async Task Other_kinds_of_end_points_are_left_to_others()
    {
        var factory = new NetpollTransportFactory();
        var pipe = new NamedPipeEndPoint("netgo");
        Assert.False(factory.CanBind(pipe));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await factory.BindAsync(pipe));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        var options = new NetpollTransportOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Backlog = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.IOQueueCount = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxWriteBufferSize = 0);
        options.MaxWriteBufferSize = null;
        Assert.True(options.NoDelay);
    }
}
