using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace NetGo.Connections.Tests;

/// <summary>What Kestrel and others rely on in a transport. It is run on ASP.NET Core's own too, which says whether it asks for the right
/// things.</summary>
public abstract class TransportContract
{
    // More than the system's buffers of both ends take.
    private const int MoreThanBuffers = 32 * 1024 * 1024;

    private static readonly int[] s_sizes = [1, 100, 4_096, 5_000, 100_000, 1_500_000];

    protected abstract IConnectionListenerFactory CreateFactory();

    protected Task<TransportHost> StartAsync(EndPoint? endPoint = null) => TransportHost.StartAsync(CreateFactory(), endPoint);

    // ---- Bytes ----

    [Fact]
    public async Task What_the_client_sends_is_read_and_what_is_written_is_sent()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            await TransportHost.SendAsync(client, Bytes.Of($"ping {i}"));
            Assert.Equal($"ping {i}", await server.Transport.Input.ReadTextAsync());
            FlushResult flush = await server.Transport.Output.WriteAsync(Bytes.Of($"pong {i}"));
            Assert.False(flush.IsCompleted || flush.IsCanceled);
            Assert.Equal(Bytes.Of($"pong {i}"), await TransportHost.ReceiveAsync(client, 6));
        }
    }

    [Fact]
    public async Task A_request_longer_than_every_buffer_comes_whole()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        byte[] sent = Bytes.Random(MoreThanBuffers);
        Task sending = SendAndEndAsync(client, sent);
        byte[] received = await server.Transport.Input.ReadBytesAsync();
        await sending.Within();
        Assert.Equal(sent.Length, received.Length);
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    private static async Task SendAndEndAsync(Socket client, byte[] bytes)
    {
        await TransportHost.SendAsync(client, bytes);
        client.Shutdown(SocketShutdown.Send);
    }

    [Fact]
    public async Task An_answer_longer_than_every_buffer_is_sent_whole_however_it_is_written()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        byte[] bytes = Bytes.Random(MoreThanBuffers);
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client, bytes.Length);
        PipeWriter output = server.Transport.Output;
        int position = 0;
        for (int turn = 0; position < bytes.Length; turn++)
        {
            int size = Math.Min(bytes.Length - position, s_sizes[turn % s_sizes.Length]);
            ReadOnlyMemory<byte> piece = bytes.AsMemory(position, size);
            position += size;
            switch (turn % 3)
            {
                case 0:
                    piece.CopyTo(output.GetMemory(size));
                    output.Advance(size);
                    await output.FlushAsync().AsTask().Within();
                    break;
                case 1:
                    await output.WriteAsync(piece).AsTask().Within();
                    break;
                default:
                    output.Write(piece.Span); // unflushed: the next piece comes behind it
                    break;
            }
        }
        await output.FlushAsync().AsTask().Within();
        byte[] received = await receiving.Within();
        Assert.True(bytes.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task Memory_of_any_size_is_given_and_what_is_not_advanced_is_not_sent()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeWriter output = server.Transport.Output;
        foreach (int size in new[] { 0, 1, 4_096, 4_097, 65_536, 65_537, 1_000_000 })
        {
            Assert.True(output.GetMemory(size).Length >= Math.Max(1, size));
            Assert.True(output.GetSpan(size).Length >= Math.Max(1, size));
        }
        output.GetSpan(10).Fill((byte)'x');
        output.Advance(2);
        Assert.Equal(2, output.CanGetUnflushedBytes ? output.UnflushedBytes : 2);
        await output.FlushAsync();
        Assert.Equal(Bytes.Of("xx"), await TransportHost.ReceiveAsync(client, 2));
        Assert.ThrowsAny<ArgumentOutOfRangeException>(() => output.GetMemory(-1));
        Assert.ThrowsAny<Exception>(() => output.Advance(int.MaxValue));
    }

    [Fact]
    public async Task A_hundred_connections_upload_at_a_time()
    {
        const int Connections = 100;
        const int Size = 1_000_000;
        await using TransportHost host = await StartAsync();
        var uploads = new List<Task>();
        for (int i = 0; i < Connections; i++)
        {
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            byte[] bytes = Bytes.Random(Size, i);
            uploads.Add(SendAndEndAsync(client, bytes));
            uploads.Add(Task.Run(async () =>
            {
                byte[] received = await server.Transport.Input.ReadBytesAsync();
                await server.Transport.Output.WriteAsync(SHA256.HashData(received));
            }));
            uploads.Add(Task.Run(async () => Assert.Equal(SHA256.HashData(bytes), await TransportHost.ReceiveAsync(client, 32))));
        }
        await Task.WhenAll(uploads).Within();
    }

    // ---- The reader's contract ----

    [Fact]
    public async Task What_is_not_consumed_comes_again_and_what_is_examined_only_with_more()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeReader input = server.Transport.Input;
        await TransportHost.SendAsync(client, Bytes.Of("abcdef"));
        ReadResult result = await input.ReadAtLeastAsync(6).AsTask().Within();
        Assert.Equal("abcdef", result.Buffer.Text());

        input.AdvanceTo(result.Buffer.GetPosition(2)); // the rest has not been looked at: it comes at once
        result = await input.ReadAsync().AsTask().Within();
        Assert.Equal("cdef", result.Buffer.Text());

        input.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.GetPosition(3));
        result = await input.ReadAsync().AsTask().Within();
        Assert.Equal("def", result.Buffer.Text());

        input.AdvanceTo(result.Buffer.Start, result.Buffer.End); // all has been: only with more
        Task<ReadResult> more = input.ReadAsync().AsTask();
        await Task.Delay(50);
        Assert.False(more.IsCompleted);
        await TransportHost.SendAsync(client, Bytes.Of("g"));
        result = await more.Within();
        Assert.Equal("defg", result.Buffer.Text());
        input.AdvanceTo(result.Buffer.End);
    }

    [Fact]
    public async Task A_message_grows_over_many_buffers_until_it_is_consumed()
    {
        const int Size = 600_000;
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeReader input = server.Transport.Input;
        byte[] bytes = Bytes.Random(Size);
        Task sending = TransportHost.SendAsync(client, bytes);
        ReadResult result;
        while ((result = await input.ReadAsync().AsTask().Within()).Buffer.Length < Size)
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.True(result.Buffer.ToArray().AsSpan().SequenceEqual(bytes));
        input.AdvanceTo(result.Buffer.GetPosition(Size - 3));
        result = await input.ReadAsync().AsTask().Within();
        Assert.Equal(bytes[^3..], result.Buffer.ToArray());
        input.AdvanceTo(result.Buffer.End);
        await sending.Within();
    }

    [Fact]
    public async Task At_least_as_many_bytes_as_asked_for_are_waited_for()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Task<ReadResult> read = server.Transport.Input.ReadAtLeastAsync(10_000).AsTask();
        await TransportHost.SendAsync(client, Bytes.Random(4_000));
        await Task.Delay(50);
        Assert.False(read.IsCompleted);
        await TransportHost.SendAsync(client, Bytes.Random(6_000));
        Assert.True((await read.Within()).Buffer.Length >= 10_000);
    }

    [Fact]
    public async Task TryRead_has_what_has_come_and_does_not_wait()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeReader input = server.Transport.Input;
        Assert.False(input.TryRead(out _));
        await TransportHost.SendAsync(client, Bytes.Of("here"));
        ReadResult result = default;
        Bounded.Until(() => input.TryRead(out result), "what was sent");
        Assert.Equal("here", result.Buffer.Text());
        input.AdvanceTo(result.Buffer.End);
        Assert.False(input.TryRead(out _));
    }

    [Fact]
    public async Task A_pending_read_is_cancelled_and_nothing_is_lost()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeReader input = server.Transport.Input;
        for (int i = 0; i < 3; i++)
        {
            Task<ReadResult> read = input.ReadAsync().AsTask();
            await Task.Delay(10);
            Assert.False(read.IsCompleted);
            input.CancelPendingRead();
            ReadResult result = await read.Within();
            Assert.True(result.IsCanceled);
            Assert.False(result.IsCompleted);
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
        input.CancelPendingRead(); // of the next one
        Assert.True((await input.ReadAsync().AsTask().Within()).IsCanceled);
        await TransportHost.SendAsync(client, Bytes.Of("still here"));
        Assert.Equal("still here", await input.ReadTextAsync());
    }

    [Fact]
    public async Task A_read_ends_by_its_token_and_nothing_is_lost()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeReader input = server.Transport.Input;
        using (var cancel = new CancellationTokenSource())
        {
            Task<ReadResult> read = input.ReadAsync(cancel.Token).AsTask();
            await Task.Delay(10);
            cancel.Cancel();
            OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.Within());
            Assert.Equal(cancel.Token, e.CancellationToken);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => input.ReadAsync(cancel.Token).AsTask());
        }
        Task<ReadResult> next = input.ReadAsync().AsTask();
        await Task.Delay(10);
        Assert.False(next.IsCompleted);
        await TransportHost.SendAsync(client, Bytes.Of("still here"));
        Assert.Equal("still here", (await next.Within()).Buffer.Text());
    }

    [Fact]
    public async Task Misuse_of_the_reader_is_an_InvalidOperationException()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeReader input = server.Transport.Input;
        Assert.Throws<InvalidOperationException>(() => input.AdvanceTo(default));
        await TransportHost.SendAsync(client, Bytes.Of("abc"));
        ReadResult result = await input.ReadAsync().AsTask().Within();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await input.ReadAsync());
        input.AdvanceTo(result.Buffer.End);
        input.Complete();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await input.ReadAsync());
        input.Complete(); // again: nothing
    }

    // ---- The ends ----

    [Fact]
    public async Task A_FIN_before_the_answer_ends_the_input_and_the_answer_is_sent_all_the_same()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await SendAndEndAsync(client, Bytes.Of("the request"));
        Assert.Equal("the request", System.Text.Encoding.ASCII.GetString(await server.Transport.Input.ReadBytesAsync()));
        ReadResult end = await server.Transport.Input.ReadAsync().AsTask().Within();
        Assert.True(end.IsCompleted && end.Buffer.IsEmpty); // and again
        server.Transport.Input.AdvanceTo(end.Buffer.End);
        await server.Transport.Output.WriteAsync(Bytes.Of("the answer"));
        await server.Transport.Output.CompleteAsync().AsTask().Within();
        await server.DisposeAsync().AsTask().Within();
        Assert.Equal(Bytes.Of("the answer"), await TransportHost.ReceiveAsync(client));
    }

    [Fact]
    public async Task What_has_been_written_before_the_end_is_sent_before_it()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        byte[] bytes = Bytes.Random(8_000_000);
        server.Transport.Output.Write(bytes); // unflushed
        await server.Transport.Output.CompleteAsync().AsTask().Within();
        Task disposed = server.DisposeAsync().AsTask();
        byte[] received = await TransportHost.ReceiveAsync(client);
        await disposed.Within();
        Assert.True(bytes.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task A_reset_by_the_client_fails_the_read_and_ends_the_output()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        CancellationToken closed = server.ConnectionClosed;
        Task<ReadResult> read = server.Transport.Input.ReadAsync().AsTask();
        TransportHost.Reset(client);
        await Assert.ThrowsAsync<ConnectionResetException>(() => read.Within());
        await FiresAsync(closed);
        await Assert.ThrowsAsync<ConnectionResetException>(() => server.Transport.Input.ReadAsync().AsTask().Within());
        await EndsAsync(server.Transport.Output);
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_output_and_no_write_throws()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Task<byte[]> some = TransportHost.ReceiveAsync(client, 10);
        _ = await server.Transport.Output.WriteAsync(Bytes.Random(100));
        await some;
        TransportHost.Reset(client);
        await EndsAsync(server.Transport.Output);
    }

    private static async Task EndsAsync(PipeWriter output)
    {
        for (int i = 0; i < 1000; i++)
        {
            if ((await output.WriteAsync(Bytes.Random(10_000)).AsTask().Within()).IsCompleted)
                return;
            await Task.Delay(5);
        }
        Assert.Fail("The output has not ended.");
    }

    protected static async Task FiresAsync(CancellationToken token)
    {
        var fired = new TaskCompletionSource();
        using CancellationTokenRegistration registration = token.Register(fired.SetResult);
        await fired.Task.Within();
    }

    [Fact]
    public async Task ConnectionClosed_fires_when_the_client_ends_though_nobody_reads()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        CancellationToken closed = server.ConnectionClosed;
        Assert.False(closed.IsCancellationRequested);
        client.Shutdown(SocketShutdown.Send);
        await FiresAsync(closed);
    }

    [Fact]
    public async Task ConnectionClosed_fires_when_the_connection_is_disposed_of()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        int fired = 0;
        server.ConnectionClosed.Register(() => Interlocked.Increment(ref fired));
        await server.DisposeAsync().AsTask().Within();
        Assert.Equal(1, fired);
        Assert.True(server.ConnectionClosed.IsCancellationRequested);
        await server.DisposeAsync().AsTask().Within(); // again: nothing
    }

    [Fact]
    public async Task An_abort_ends_a_pending_read_and_resets_the_connection()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        CancellationToken closed = server.ConnectionClosed;
        Task<ReadResult> read = server.Transport.Input.ReadAsync().AsTask();
        server.Abort(new ConnectionAbortedException("enough"));
        ConnectionAbortedException e = await Assert.ThrowsAsync<ConnectionAbortedException>(() => read.Within());
        Assert.Equal("enough", e.Message);
        await FiresAsync(closed);
        await EndsAsync(server.Transport.Output);
        SocketException reset = await Assert.ThrowsAsync<SocketException>(() => TransportHost.ReceiveAsync(client));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
    }

    [Fact]
    public async Task An_abort_without_a_reason_ends_the_connection_in_peace()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        CancellationToken closed = server.ConnectionClosed;
        server.Abort(null!); // as Kestrel does when the client has ended the connection
        await FiresAsync(closed);
        Assert.Empty(await TransportHost.ReceiveAsync(client));
    }

    [Fact]
    public async Task An_abort_ends_a_flush_that_waits_for_the_client()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        Task<FlushResult> flush = await FillAsync(server.Transport.Output);
        server.Abort(new ConnectionAbortedException("too slow"));
        Assert.True((await flush.Within()).IsCompleted);
        await server.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task An_output_that_ends_with_an_error_resets_the_connection()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await server.Transport.Output.WriteAsync(Bytes.Of("a part"));
        Assert.Equal(Bytes.Of("a part"), await TransportHost.ReceiveAsync(client, 6));
        await server.Transport.Output.CompleteAsync(new InvalidOperationException("broken off")).AsTask().Within();
        await Assert.ThrowsAsync<SocketException>(() => TransportHost.ReceiveAsync(client));
    }

    [Fact]
    public async Task Nothing_can_be_written_after_the_end_of_the_output()
    {
        await using TransportHost host = await StartAsync();
        (Socket _, ConnectionContext server) = await host.ConnectAsync();
        await server.Transport.Output.CompleteAsync().AsTask().Within();
        Assert.Throws<InvalidOperationException>(() => server.Transport.Output.GetMemory());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await server.Transport.Output.WriteAsync(Bytes.Of("x")));
        await server.Transport.Output.CompleteAsync().AsTask().Within(); // again: nothing
    }

    // ---- Back-pressure ----

    // Writes until a flush has to wait.
    private static async Task<Task<FlushResult>> FillAsync(PipeWriter output)
    {
        byte[] piece = Bytes.Random(256 * 1024);
        for (int i = 0; i < MoreThanBuffers / piece.Length; i++)
        {
            Task<FlushResult> flush = output.WriteAsync(piece).AsTask();
            await Task.WhenAny(flush, Task.Delay(300));
            if (!flush.IsCompleted)
                return flush;
        }
        throw new InvalidOperationException("A client that does not read has taken everything.");
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_the_writer_up_until_it_does()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(socket => socket.ReceiveBufferSize = 64 * 1024);
        Task<FlushResult> flush = await FillAsync(server.Transport.Output);
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client);
        Assert.False((await flush.Within()).IsCompleted);
        await server.DisposeAsync().AsTask().Within();
        byte[] received = await receiving.Within();
        byte[] piece = Bytes.Random(256 * 1024);
        Assert.Equal(0, received.Length % piece.Length);
        for (int i = 0; i < received.Length; i += piece.Length)
            Assert.True(received.AsSpan(i, piece.Length).SequenceEqual(piece));
    }

    [Fact]
    public async Task A_pending_flush_is_cancelled_and_what_it_had_is_sent_later()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(socket => socket.ReceiveBufferSize = 64 * 1024);
        PipeWriter output = server.Transport.Output;
        Task<FlushResult> flush = await FillAsync(output);
        output.CancelPendingFlush();
        Assert.True((await flush.Within()).IsCanceled);
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client);
        output.Write(Bytes.Of("the end"));
        Assert.False((await output.FlushAsync().AsTask().Within()).IsCanceled);
        await server.DisposeAsync().AsTask().Within();
        byte[] received = await receiving.Within();
        Assert.Equal(Bytes.Of("the end"), received[^7..]);
        byte[] piece = Bytes.Random(256 * 1024);
        Assert.Equal(7, received.Length % piece.Length);
        Assert.True(received.AsSpan(received.Length - 7 - piece.Length, piece.Length).SequenceEqual(piece));
    }

    [Fact]
    public async Task A_flush_ends_by_its_token_and_what_it_had_is_sent_later()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(socket => socket.ReceiveBufferSize = 64 * 1024);
        PipeWriter output = server.Transport.Output;
        byte[] bytes = Bytes.Random(MoreThanBuffers);
        using var cancel = new CancellationTokenSource();
        Task<FlushResult> flush = output.WriteAsync(bytes, cancel.Token).AsTask();
        await Task.Delay(50);
        Assert.False(flush.IsCompleted);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.Within());
        Task<byte[]> receiving = TransportHost.ReceiveAsync(client);
        await server.DisposeAsync().AsTask().Within();
        byte[] received = await receiving.Within();
        Assert.True(received.AsSpan().SequenceEqual(bytes));
    }

    [Fact]
    public async Task A_server_that_does_not_read_holds_the_client_up_until_it_does()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync(socket => socket.SendBufferSize = 64 * 1024);
        byte[] bytes = Bytes.Random(MoreThanBuffers);
        Task sending = SendAndEndAsync(client, bytes);
        await Task.Delay(300);
        Assert.False(sending.IsCompleted);
        byte[] received = await server.Transport.Input.ReadBytesAsync();
        await sending.Within();
        Assert.True(bytes.AsSpan().SequenceEqual(received));
    }

    // ---- The listener ----

    [Fact]
    public async Task A_listener_that_is_unbound_accepts_no_more_and_ends_a_pending_accept()
    {
        await using TransportHost host = await StartAsync();
        Task<ConnectionContext?> accept = host.Listener.AcceptAsync().AsTask();
        await Task.Delay(20);
        await host.Listener.UnbindAsync();
        Assert.Null(await accept.Within());
        Assert.Null(await host.Listener.AcceptAsync().AsTask().Within());
        Bounded.Until(
            () =>
            {
                using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                return Record.Exception(() => late.Connect(host.Listener.EndPoint)) is SocketException;
            },
            "no more connections");
        await host.Listener.UnbindAsync();
    }

    [Fact]
    public async Task Connections_live_on_when_the_listener_is_unbound()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await host.Listener.UnbindAsync();
        await TransportHost.SendAsync(client, Bytes.Of("alive"));
        Assert.Equal("alive", await server.Transport.Input.ReadTextAsync());
    }

    [Fact]
    public async Task An_address_in_use_is_an_AddressInUseException()
    {
        await using TransportHost host = await StartAsync();
        await Assert.ThrowsAsync<AddressInUseException>(async () => await CreateFactory().BindAsync(host.Listener.EndPoint));
    }

    [Fact]
    public async Task A_Unix_socket_is_listened_on()
    {
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}.sock");
        try
        {
            await using TransportHost host = await StartAsync(new UnixDomainSocketEndPoint(path));
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            await TransportHost.SendAsync(client, Bytes.Of("over a file"));
            Assert.Equal("over a file", await server.Transport.Input.ReadTextAsync());
            await server.Transport.Output.WriteAsync(Bytes.Of("and back"));
            Assert.Equal(Bytes.Of("and back"), await TransportHost.ReceiveAsync(client, 8));
        }
        finally
        {
            File.Delete(path);
        }
    }

    // ---- The context ----

    [Fact]
    public async Task It_has_the_features_and_properties_of_a_connection()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        (Socket _, ConnectionContext other) = await host.ConnectAsync();
        Assert.Equal(client.LocalEndPoint, server.RemoteEndPoint);
        Assert.Equal(client.RemoteEndPoint, server.LocalEndPoint);
        Assert.NotEqual(server.ConnectionId, other.ConnectionId);
        Assert.Equal(server.ConnectionId, server.Features.Get<IConnectionIdFeature>()?.ConnectionId);
        Assert.Same(server.Transport, server.Features.Get<IConnectionTransportFeature>()?.Transport);
        server.Items["key"] = "value";
        Assert.Equal("value", server.Features.Get<IConnectionItemsFeature>()?.Items["key"]);
        Assert.Equal(server.ConnectionClosed, server.Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed);
        Assert.NotNull(server.Features.Get<IMemoryPoolFeature>()?.MemoryPool);
        Assert.True(server.Features.Get<IConnectionSocketFeature>()?.Socket.NoDelay);
        Assert.Null(server.Features.Get<ITlsHandshakeFeature>());
        server.Features.Set<IMarker>(new Marker());
        Assert.IsType<Marker>(server.Features.Get<IMarker>());
        Assert.Contains(server.Features, feature => feature.Key == typeof(IMarker));
        server.Features.Set<IMarker>(null);
        Assert.Null(server.Features.Get<IMarker>());
    }

    private interface IMarker;

    private sealed class Marker : IMarker;

    [Fact]
    public async Task A_middleware_can_put_its_own_pipe_in_front()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        IDuplexPipe original = server.Transport;
        var pipe = new Pipe();
        server.Transport = new Front(pipe.Reader, original.Output);
        Assert.Same(pipe.Reader, server.Transport.Input);
        await TransportHost.SendAsync(client, Bytes.Of("behind"));
        Assert.Equal("behind", await original.Input.ReadTextAsync());
    }

    private sealed record Front(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
