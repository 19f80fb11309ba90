using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace NetGo.Connections.Tests;

/// <summary>The contract on NetGo, and what only NetGo's transport does.</summary>
public sealed class NetpollTransportTests : TransportContract, IAsyncDisposable
{
    private readonly BufferPool _buffers = new(new BufferPoolOptions());
    private readonly GoScheduler _scheduler;

    public NetpollTransportTests() => _scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 2, Buffers = _buffers });

    protected override IConnectionListenerFactory CreateFactory() => new NetpollTransportFactory(new NetpollTransportOptions { Scheduler = _scheduler });

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
    public async Task Each_direction_ends_by_itself()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await server.Transport.Output.WriteAsync(Bytes.Of("all there is"));
        await server.Transport.Output.CompleteAsync();
        Assert.Equal(Bytes.Of("all there is"), await TransportHost.ReceiveAsync(client)); // up to the end
        await TransportHost.SendAsync(client, Bytes.Of("and yet"));
        Assert.Equal("and yet", await server.Transport.Input.ReadTextAsync());
        client.Shutdown(SocketShutdown.Send);
        Assert.Empty(await server.Transport.Input.ReadBytesAsync());
    }

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
    public async Task A_FIN_behind_bytes_that_have_not_been_read_does_not_close_the_connection_yet()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        CancellationToken closed = server.ConnectionClosed;
        byte[] upload = Bytes.Random(20_000);
        await TransportHost.SendAsync(client, upload);
        client.Shutdown(SocketShutdown.Send);
        await Task.Delay(100);
        Assert.False(closed.IsCancellationRequested);
        Assert.Equal(upload, await server.Transport.Input.ReadBytesAsync());
        Bounded.Until(() => closed.IsCancellationRequested, "the end has been read");
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
        int sockets = SocketsOfThisProcess();
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client);
        await server.DisposeAsync().AsTask().Within(); // sends what is left
        if (OperatingSystem.IsLinux())
            Bounded.Until(() => SocketsOfThisProcess() < sockets, "the descriptor closed");
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
    public async Task Disposing_ends_a_pending_read()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        Task<ReadResult> read = server.Transport.Input.ReadAsync().AsTask();
        await Task.Delay(10);
        await server.DisposeAsync().AsTask().Within();
        try
        {
            Assert.True((await read.Within()).IsCanceled);
        }
        catch (ConnectionAbortedException)
        {
            // or this, as it happens: the close comes right behind the cancellation
        }
    }

    [Fact]
    public async Task Disposing_waits_for_a_slow_client_and_an_abort_ends_that()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(socket => socket.ReceiveBufferSize = 16 * 1024);
        server.Transport.Output.Write(Bytes.Random(32 * 1024 * 1024));
        Task disposing = server.DisposeAsync().AsTask();
        await Task.Delay(100);
        Assert.False(disposing.IsCompleted);
        server.Abort();
        await disposing.Within();
        await Assert.ThrowsAsync<SocketException>(() => TransportHost.ReceiveAsync(client));
    }

    [Fact]
    public async Task Nothing_is_lost_when_reads_are_cancelled_from_another_thread_all_the_time()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        byte[] sent = Bytes.Random(3_000_000);
        using var done = new CancellationTokenSource();
        Task cancelling = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                server.Transport.Input.CancelPendingRead();
                Thread.SpinWait(500);
            }
        });
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < sent.Length; i += 3_000)
                await TransportHost.SendAsync(client, sent.AsMemory(i, 3_000));
            client.Shutdown(SocketShutdown.Send);
        });
        byte[] received = await server.Transport.Input.ReadBytesAsync();
        done.Cancel();
        await sending.Within();
        await cancelling.Within();
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task Descriptors_are_closed_however_connections_end()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Counts the descriptors in /proc.");
        await using TransportHost host = await StartAsync();
        for (int i = 0; i < 200; i++)
        {
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            Task<ReadResult>? read = i % 2 == 0 ? server.Transport.Input.ReadAsync().AsTask() : null;
            switch (i % 4)
            {
                case 0:
                    server.Abort();
                    break;
                case 1:
                    client.Close();
                    break;
                case 2:
                    TransportHost.Reset(client);
                    break;
            }
            await server.DisposeAsync().AsTask().Within();
            client.Dispose();
            if (read is not null)
                await Task.WhenAny(read).Within();
        }
        Bounded.Until(() => SocketsOfThisProcess() <= _socketsBefore + 10, "the sockets closed");
    }

    private readonly int _socketsBefore = SocketsOfThisProcess();

    private static int SocketsOfThisProcess()
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        int count = 0;
        foreach (string link in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            try
            {
                if (new FileInfo(link).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true)
                    count++;
            }
            catch (IOException)
            {
                // closed meanwhile
            }
        }
        return count;
    }

    [Fact]
    public async Task A_socket_that_listens_already_is_taken_over()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Sockets are not taken over on Windows.");
        using var opened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        opened.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        opened.Listen();
        await using TransportHost host = await StartAsync(new FileHandleEndPoint((ulong)opened.Handle, FileHandleType.Tcp));
        Assert.Equal(opened.LocalEndPoint, host.Listener.EndPoint);
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await TransportHost.SendAsync(client, Bytes.Of("inherited"));
        Assert.Equal("inherited", await server.Transport.Input.ReadTextAsync());
    }

    [Fact]
    public async Task Other_kinds_of_end_points_are_left_to_others()
    {
        var factory = new NetpollTransportFactory();
        var pipe = new NamedPipeEndPoint("netgo");
        Assert.False(factory.CanBind(pipe));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await factory.BindAsync(pipe));
    }

    [Fact]
    public async Task Clients_connect_by_it_too()
    {
        await using TransportHost host = await StartAsync();
        var factory = new NetpollConnectionFactory(new NetpollTransportOptions { Scheduler = _scheduler });
        ValueTask<ConnectionContext?> accept = host.Listener.AcceptAsync();
        await using ConnectionContext client = await factory.ConnectAsync(host.Listener.EndPoint).AsTask().Within();
        await using ConnectionContext server = (await accept.AsTask().Within())!;
        await client.Transport.Output.WriteAsync(Bytes.Of("hello"));
        Assert.Equal("hello", await server.Transport.Input.ReadTextAsync());
        Assert.Equal(client.LocalEndPoint, server.RemoteEndPoint);
        await host.Listener.UnbindAsync();
        await Assert.ThrowsAsync<SocketException>(async () => await factory.ConnectAsync(host.Listener.EndPoint));
    }

    [Fact]
    public async Task A_close_can_be_asked_for()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        IConnectionLifetimeNotificationFeature? feature = server.Features.Get<IConnectionLifetimeNotificationFeature>();
        Assert.NotNull(feature);
        Assert.False(feature.ConnectionClosedRequested.IsCancellationRequested);
        feature.RequestClose();
        Assert.True(feature.ConnectionClosedRequested.IsCancellationRequested);
        Assert.False(server.Features.Get<IConnectionInherentKeepAliveFeature>()?.HasInherentKeepAlive);
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
