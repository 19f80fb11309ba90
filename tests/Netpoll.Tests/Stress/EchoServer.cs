using System.Net;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>A server that echoes on each connection until its end, and counts.</summary>
internal sealed class EchoServer : IDisposable
{
    private int _accepted;
    private int _ended;
    private int _failed;

    public EchoServer(int processors, ListenOptions? options = null)
    {
        Scheduler = Bounded.NewScheduler(processors);
        Listener = NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.Loopback, 0), options);
        Accepting = Task.WhenAll(Enumerable.Range(0, Listener.ShardCount).Select(i => Scheduler.RunAsync(() => AcceptAsync(i))));
    }

    public GoScheduler Scheduler { get; }

    public NetListener Listener { get; }

    public IPEndPoint EndPoint => (IPEndPoint)Listener.LocalEndPoint;

    /// <summary>Ends when the listener is closed.</summary>
    public Task Accepting { get; }

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Connections that are no more.</summary>
    public int Ended => Volatile.Read(ref _ended);

    /// <summary>Those of them that failed.</summary>
    public int Failed => Volatile.Read(ref _failed);

    private async Task AcceptAsync(int shard)
    {
        while (await Listener.AcceptAsync(shard) is { } connection)
        {
            Interlocked.Increment(ref _accepted);
            Go.Spawn(() => EchoAsync(connection));
        }
    }

    private async Task EchoAsync(NetConnection connection)
    {
        using (connection)
        {
            byte[] buffer = new byte[64];
            try
            {
                while (await connection.ReadAsync(buffer) is > 0 and int n)
                    await connection.WriteAsync(buffer.AsMemory(0, n));
            }
            catch (IOException)
            {
                Interlocked.Increment(ref _failed);
            }
        }
        Interlocked.Increment(ref _ended);
    }

    public void Dispose()
    {
        Listener.Close();
        Bounded.NoneLeft(Scheduler);
        Scheduler.Dispose();
    }
}
