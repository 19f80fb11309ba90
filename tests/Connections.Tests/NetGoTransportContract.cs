using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace NetGo.Connections.Tests;

/// <summary>What NetGo's transports do beyond the contract, on netpoll and on the fallback.</summary>
public abstract class NetGoTransportContract : TransportContract
{
    protected abstract NetpollTransportOptions CreateOptions();

    protected override IConnectionListenerFactory CreateFactory() => new NetpollTransportFactory(CreateOptions());

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Memory_that_was_got_and_not_written_to_is_given_back(bool flush)
    {
        await using TransportHost host = await StartAsync(); // what is left is counted at the end
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        _ = server.Transport.Output.GetMemory(100);
        if (flush)
            await server.Transport.Output.FlushAsync();
        await server.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task A_reset_that_a_flush_meets_first_is_no_end_to_the_reader()
    {
        await using TransportHost host = await StartAsync();
        for (int i = 0; i < 5; i++)
        {
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            TransportHost.Reset(client);
            while (!(await server.Transport.Output.WriteAsync(Bytes.Of("x")).AsTask().Within()).IsCompleted)
            {
            }
            await Assert.ThrowsAsync<ConnectionResetException>(() => server.Transport.Input.ReadAsync().AsTask().Within());
        }
    }

    [Fact]
    public async Task Disposing_ends_a_read_that_is_just_under_way()
    {
        await using TransportHost host = await StartAsync();
        for (int i = 0; i < 50; i++)
        {
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            Task sending = Task.Run(async () =>
            {
                try
                {
                    while (true)
                        await client.SendAsync(new byte[5_000]);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                }
            });
            Task reading = Task.Run(async () =>
            {
                try
                {
                    ReadResult result;
                    do
                    {
                        result = await server.Transport.Input.ReadAsync();
                        server.Transport.Input.AdvanceTo(result.Buffer.End);
                    }
                    while (!result.IsCanceled && !result.IsCompleted);
                }
                catch (Exception e) when (e is InvalidOperationException or IOException or ConnectionAbortedException)
                {
                    // the reader has been completed, or the connection closed
                }
            });
            await Task.Delay(i % 5);
            await server.DisposeAsync().AsTask().Within();
            await reading.Within();
            client.Dispose();
            await sending.Within();
        }
    }

    [Fact]
    public async Task Disposing_ends_a_read_that_has_begun_and_is_awaited_afterwards()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        ValueTask<ReadResult> read = server.Transport.Input.ReadAsync();
        await server.DisposeAsync().AsTask().Within();
        Assert.True((await read.AsTask().Within()).IsCanceled);
        client.Dispose();
    }

    [Fact]
    public async Task Nothing_is_advanced_in_a_reader_that_has_been_completed()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await TransportHost.SendAsync(client, Bytes.Of("read"));
        ReadResult result = await server.Transport.Input.ReadAsync().AsTask().Within();
        server.Transport.Input.Complete();
        Assert.Throws<InvalidOperationException>(() => server.Transport.Input.AdvanceTo(result.Buffer.End));
        client.Dispose();
    }

    [Fact]
    public async Task Disposing_ends_a_pending_read()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        Task<ReadResult> read = server.Transport.Input.ReadAsync().AsTask();
        await Task.Delay(10);
        await server.DisposeAsync().AsTask().Within();
        Assert.True((await read.Within()).IsCanceled);
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
    public async Task Descriptors_are_closed_however_connections_end()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Counts the descriptors in /proc.");
        await using TransportHost host = await StartAsync();
        int before = OpenSockets.Count;
        await EndInEveryWayAsync(host);
        Bounded.Until(() => OpenSockets.Count <= before, "the sockets closed");
    }

    [Fact]
    public async Task No_exception_is_left_unobserved_however_connections_end()
    {
        Collect(); // of what was before
        var unobserved = new ConcurrentQueue<Exception>();
        void Keep(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved.Enqueue(e.Exception);
        TaskScheduler.UnobservedTaskException += Keep;
        try
        {
            await using (TransportHost host = await StartAsync())
                await EndInEveryWayAsync(host);
            Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Keep;
        }
        Assert.Empty(unobserved);
    }

    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    // By either side, in peace and by a reset, with a read and a flush under way or not, with bytes that nobody reads or not.
    private static async Task EndInEveryWayAsync(TransportHost host)
    {
        for (int way = 0; way < 4 * 2 * 2 * 2; way++)
        {
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            CancellationToken closed = way % 3 == 0 ? default : server.ConnectionClosed;
            if ((way & 16) != 0)
                await TransportHost.SendAsync(client, Bytes.Random(300_000));
            Task<ReadResult>? read = (way & 4) != 0 ? server.Transport.Input.ReadAsync().AsTask() : null;
            Task<FlushResult>? flush = (way & 8) != 0 ? server.Transport.Output.WriteAsync(Bytes.Random(8_000_000)).AsTask() : null;
            await Task.Delay(2);
            switch (way & 3)
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
                default:
                    _ = DrainAsync(client);
                    break;
            }
            if (flush is not null)
                await flush.Within();
            await server.DisposeAsync().AsTask().Within();
            client.Dispose();
            if (read is not null)
            {
                await Task.WhenAny(read).Within();
                _ = read.Exception;
            }
            Assert.True(closed == default || closed.IsCancellationRequested);
        }
    }

    private static async Task DrainAsync(Socket client)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await client.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The server has closed it with bytes unread.
        }
    }

    [Fact]
    public async Task Clients_connect_by_it_too()
    {
        await using TransportHost host = await StartAsync();
        var factory = new NetpollConnectionFactory(CreateOptions());
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
    public async Task A_name_is_looked_up()
    {
        await using TransportHost host = await StartAsync();
        var factory = new NetpollConnectionFactory(CreateOptions());
        ValueTask<ConnectionContext?> accept = host.Listener.AcceptAsync();
        int port = ((IPEndPoint)host.Listener.EndPoint).Port;
        await using ConnectionContext client = await factory.ConnectAsync(new DnsEndPoint("localhost", port)).AsTask().Within();
        await using ConnectionContext server = (await accept.AsTask().Within())!;
        Assert.Equal(client.LocalEndPoint, server.RemoteEndPoint);
        await host.Listener.UnbindAsync();
        await Assert.ThrowsAsync<SocketException>(async () => await factory.ConnectAsync(new DnsEndPoint("localhost", port)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await factory.ConnectAsync(new DnsEndPoint("localhost", port), new CancellationToken(canceled: true)));
        await Assert.ThrowsAsync<ArgumentException>(async () => await factory.ConnectAsync(new NamedPipeEndPoint("netgo")));
    }

    [Fact]
    public async Task A_Unix_socket_to_which_nobody_listens_is_no_obstacle_and_one_in_use_is()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Unix sockets' files are not known on Windows.");
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}.sock");
        var endPoint = new UnixDomainSocketEndPoint(path);
        try
        {
            LeaveFile(path);
            await using (TransportHost host = await StartAsync(endPoint))
            {
                (Socket client, ConnectionContext server) = await host.ConnectAsync();
                await TransportHost.SendAsync(client, Bytes.Of("anew"));
                Assert.Equal("anew", await server.Transport.Input.ReadTextAsync());
                await Assert.ThrowsAsync<AddressInUseException>(async () => await CreateFactory().BindAsync(endPoint));
            }
            Assert.False(File.Exists(path));
            await File.WriteAllTextAsync(path, "no socket");
            await Assert.ThrowsAsync<AddressInUseException>(async () => await CreateFactory().BindAsync(endPoint));
            Assert.Equal("no socket", await File.ReadAllTextAsync(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    // As a server that has been killed.
    private static void LeaveFile(string path)
    {
        string other = path + ".listening";
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(other));
        socket.Listen();
        File.Move(other, path);
    }

    [Fact]
    public async Task An_IPv6_listener_takes_IPv4_when_it_is_for_all_addresses()
    {
        if (!Socket.OSSupportsIPv6)
            Assert.Skip("There is no IPv6.");
        foreach (IPAddress address in new[] { IPAddress.IPv6Any, IPAddress.IPv6Loopback })
        {
            await using IConnectionListener listener = await CreateFactory().BindAsync(new IPEndPoint(address, 0));
            int port = ((IPEndPoint)listener.EndPoint).Port;
            using var four = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            if (!address.Equals(IPAddress.IPv6Any))
            {
                await Assert.ThrowsAsync<SocketException>(() => four.ConnectAsync(IPAddress.Loopback, port));
                continue;
            }
            await four.ConnectAsync(IPAddress.Loopback, port);
            await using ConnectionContext server = (await listener.AcceptAsync().AsTask().Within())!;
            Assert.Equal(IPAddress.Loopback.MapToIPv6(), ((IPEndPoint)server.RemoteEndPoint!).Address);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Small_segments_wait_if_that_is_wanted(bool noDelay)
    {
        NetpollTransportOptions options = CreateOptions();
        options.NoDelay = noDelay;
        await using TransportHost host = await TransportHost.StartAsync(new NetpollTransportFactory(options));
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        Assert.Equal(noDelay, server.Features.Get<IConnectionSocketFeature>()?.Socket.NoDelay);
    }

    [Fact]
    public async Task A_silent_peer_is_asked_whether_it_is_there()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        Socket socket = server.Features.Get<IConnectionSocketFeature>()!.Socket;
        Assert.NotEqual(0, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(15, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
    }

    [Fact]
    public async Task Without_a_limit_a_flush_waits_for_the_system_alone()
    {
        NetpollTransportOptions options = CreateOptions();
        options.MaxWriteBufferSize = null;
        await using TransportHost host = await TransportHost.StartAsync(new NetpollTransportFactory(options));
        (Socket client, ConnectionContext server) = await host.ConnectAsync(socket => socket.ReceiveBufferSize = 64 * 1024);
        byte[] bytes = Bytes.Random(32 * 1024 * 1024); // more than it takes
        Task<FlushResult> flush = server.Transport.Output.WriteAsync(bytes).AsTask();
        await Task.Delay(50);
        Assert.False(flush.IsCompleted);
        byte[] received = await TransportHost.ReceiveAsync(client, bytes.Length);
        Assert.False((await flush.Within()).IsCompleted);
        Assert.True(bytes.AsSpan().SequenceEqual(received));
    }
}
