using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Connections.Tests;

public sealed class FallbackReaderTests
{
    [Fact]
    public async Task A_read_under_way_is_cancelled_by_the_end_even_if_the_close_comes_before_its_continuation()
    {
        (Socket client, Socket accepted) = await SocketPairAsync();
        await using var connection = new FallbackConnection(accepted, null, NullLogger.Instance);
        var held = new HeldScheduler();
        var pipe = new Pipe(new PipeOptions(readerScheduler: held, useSynchronizationContext: false));
        var reader = new FallbackReader(connection, pipe.Reader);
        Task<ReadResult> read = reader.ReadAsync().AsTask();
        reader.Complete();
        pipe.Writer.Complete(new IOException("closed"));
        Assert.False(read.IsCompleted);
        held.Run();
        Assert.True((await read.Within()).IsCanceled);
        client.Dispose();
    }

    private static async Task<(Socket Client, Socket Accepted)> SocketPairAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!).Within();
        return (client, await listener.AcceptAsync().Within());
    }

    private sealed class HeldScheduler : PipeScheduler
    {
        private readonly Queue<(Action<object?> Action, object? State)> _held = new();

        public override void Schedule(Action<object?> action, object? state) => _held.Enqueue((action, state));

        public void Run()
        {
            while (_held.TryDequeue(out (Action<object?> Action, object? State) next))
                next.Action(next.State);
        }
    }
}
