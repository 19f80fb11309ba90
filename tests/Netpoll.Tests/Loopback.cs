using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>A scheduler with a listener, and System.Net.Sockets peers.</summary>
internal sealed class Loopback : IDisposable
{
    private readonly List<IDisposable> _open = [];

    public Loopback(int processors = 1, int shards = 1, IPAddress? address = null)
        : this(Bounded.NewScheduler(processors), shards, address)
    {
    }

    public Loopback(GoScheduler scheduler, int shards = 1, IPAddress? address = null)
    {
        Scheduler = scheduler;
        Listener = NetListener.Listen(Scheduler, new IPEndPoint(address ?? IPAddress.Loopback, 0), new ListenOptions { Shards = shards });
    }

    public GoScheduler Scheduler { get; }

    public NetListener Listener { get; }

    public IPEndPoint LocalEndPoint => (IPEndPoint)Listener.LocalEndPoint;

    public Socket NewSocket()
    {
        var socket = new Socket(LocalEndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _open.Add(socket);
        return socket;
    }

    public async Task<(NetConnection Connection, Socket Peer)> ConnectAsync()
    {
        Socket peer = NewSocket();
        await peer.ConnectAsync(Listener.LocalEndPoint).Within();
        NetConnection connection = await Listener.AcceptAsync().AsTask().Within();
        _open.Add(connection);
        return (connection, peer);
    }

    public Task Run(Func<Task> body) => Scheduler.RunAsync(body).Within();

    public Task<T> Run<T>(Func<Task<T>> body) => Scheduler.RunAsync(body).Within();

    /// <summary>Starts something that is to park, and waits until all goroutines are parked.</summary>
    public Task<T> Parked<T>(Func<ValueTask<T>> operation)
    {
        Task<T> task = Scheduler.RunAsync(async () => await operation());
        Bounded.Until(() => Scheduler.AllIdle, "parked");
        Assert.False(task.IsCompleted);
        return task.Within();
    }

    public Task Parked(Func<ValueTask> operation) => Parked(async () =>
    {
        await operation();
        return true;
    });

    public void Dispose()
    {
        Listener.Close();
        _open.ForEach(o => o.Dispose());
        Bounded.NoneLeft(Scheduler); // those that accept have to see the close: they hold the listening sockets
        Scheduler.Dispose();
    }
}
