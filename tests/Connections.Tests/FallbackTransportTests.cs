using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using NetGo.Netpoll;

namespace NetGo.Connections.Tests;

/// <summary>The contracts on the transport for where no poller works, and what only it does.</summary>
public sealed class FallbackTransportTests : NetGoTransportContract
{
    protected override NetpollTransportOptions CreateOptions() => new() { Fallback = FallbackUse.Always };

    [Fact]
    public async Task What_awaits_a_read_or_a_flush_goes_on_on_the_thread_pool()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        Task<(bool, bool, SynchronizationContext?)> handler = Task.Run(async () =>
        {
            ReadResult result = await server.Transport.Input.ReadAsync();
            bool afterRead = Thread.CurrentThread.IsThreadPoolThread;
            server.Transport.Input.AdvanceTo(result.Buffer.End);
            await server.Transport.Output.WriteAsync(Bytes.Random(32 * 1024 * 1024));
            return (afterRead, Thread.CurrentThread.IsThreadPoolThread, SynchronizationContext.Current);
        });
        await TransportHost.SendAsync(client, Bytes.Of("x"));
        await TransportHost.ReceiveAsync(client, 32 * 1024 * 1024);
        Assert.Equal((true, true, null), await handler.Within());
    }

    [Fact]
    public async Task What_the_peer_still_sends_when_the_input_is_over_does_not_cost_it_the_answer()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        await TransportHost.SendAsync(client, Bytes.Random(10));
        await server.Transport.Input.ReadBytesAsync(10);
        server.Transport.Input.Complete();
        await server.Transport.Output.WriteAsync(Bytes.Of("too much"));
        await server.Transport.Output.CompleteAsync();
        for (int i = 0; i < 10; i++)
        {
            await TransportHost.SendAsync(client, Bytes.Random(10_000)); // fails after a reset, which may overtake the answer
            await Task.Delay(5);
        }
        Assert.Equal(Bytes.Of("too much"), await TransportHost.ReceiveAsync(client));
    }

    [Fact]
    public async Task Who_is_writing_when_the_peer_goes_keeps_his_memory_and_gets_no_exception()
    {
        await using TransportHost host = await StartAsync();
        (Socket client, ConnectionContext server) = await host.ConnectAsync();
        PipeWriter output = server.Transport.Output;
        CancellationToken closed = server.ConnectionClosed;
        Memory<byte> memory = output.GetMemory(100_000);
        TransportHost.Reset(client);
        Bounded.Until(() => closed.IsCancellationRequested, "the reset");
        memory.Span.Fill(1);
        output.Advance(100_000);
        Assert.True((await output.FlushAsync().AsTask().Within()).IsCompleted);
        await server.DisposeAsync().AsTask().Within();
    }

    [Fact]
    public async Task Connections_do_not_go_on_where_they_were_asked_for()
    {
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}.sock");
        await using TransportHost host = await StartAsync(new UnixDomainSocketEndPoint(path)); // connects at once, without a wait
        var factory = new NetpollConnectionFactory(CreateOptions());
        ValueTask<ConnectionContext?> accept = host.Listener.AcceptAsync();
        Task<ConnectionContext> connect = Under(new DeadContext(), () => factory.ConnectAsync(host.Listener.EndPoint).AsTask());
        await using ConnectionContext client = await connect.Within();
        await using ConnectionContext server = (await accept.AsTask().Within())!;
        Task<FlushResult> flush = Under(new DeadContext(), () => client.Transport.Output.WriteAsync(Bytes.Random(10_000_000)).AsTask());
        Task<byte[]> read = Under(new DeadContext(), () => Task.Run(() => server.Transport.Input.ReadBytesAsync(10_000_000)));
        Assert.Equal(10_000_000, (await read.Within()).Length);
        Assert.False((await flush.Within()).IsCompleted);
    }

    private static Task<T> Under<T>(SynchronizationContext context, Func<Task<T>> start)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            return start();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>Of a thread that has gone.</summary>
    private sealed class DeadContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }
}
