using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>A scheduler that dials, and listeners of System.Net.Sockets. At its end no socket and no goroutine may be
/// left.</summary>
public abstract class DialFixture : IDisposable
{
    private readonly int _socketsBefore = OpenSockets.Count;
    private readonly List<IDisposable> _open = [];

    private protected GoScheduler Scheduler { get; } = Bounded.NewScheduler(2);

    public void Dispose()
    {
        foreach (IDisposable o in Enumerable.Reverse(_open))
            o.Dispose();
        Bounded.NoneLeft(Scheduler);
        Bounded.Until(() => OpenSockets.AreAtMost(_socketsBefore), "all sockets are closed");
        Scheduler.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected T Opened<T>(T o)
        where T : IDisposable
    {
        _open.Add(o);
        return o;
    }

    /// <summary>Listens on an address, on a port that is free on all of <paramref name="freeToo"/> as well.</summary>
    private protected Socket Listen(string address, params string[] freeToo)
    {
        IPAddress ip = IPAddress.Parse(address);
        for (int attempt = 0; ; attempt++)
        {
            var listener = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(ip, 0));
            if (freeToo.All(other => other == address || IsFree(other, ((IPEndPoint)listener.LocalEndPoint!).Port)))
            {
                listener.Listen(512);
                return Opened(listener);
            }
            listener.Dispose();
            Assert.True(attempt < 100);
        }
    }

    private static bool IsFree(string address, int port)
    {
        IPAddress ip = IPAddress.Parse(address);
        using var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(ip, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private protected static int PortOf(Socket listener) => ((IPEndPoint)listener.LocalEndPoint!).Port;

    private protected int UnusedPort()
    {
        Socket listener = Listen("127.0.0.1", "127.0.0.2", "::1");
        int port = PortOf(listener);
        listener.Dispose();
        return port;
    }

    private protected Task Run(Func<Task> body) => Scheduler.RunAsync(body).Within();

    private protected Task<T> Run<T>(Func<Task<T>> body) => Scheduler.RunAsync(body).Within();

    private protected Task<NetConnection> Dial(NetDialer dialer, EndPoint endPoint, CancellationToken token = default) =>
        Run(async () => Opened(await dialer.DialAsync(endPoint, token)));

    /// <summary>A dial that has to wait.</summary>
    private protected Task<NetConnection> DialParked(NetDialer dialer, EndPoint endPoint, CancellationToken token = default)
    {
        Task<NetConnection> dial = Dial(dialer, endPoint, token);
        Bounded.Until(() => Scheduler.AllIdle, "parked");
        Assert.False(dial.IsCompleted);
        return dial;
    }

    /// <summary>Accepts, and sees that bytes go both ways.</summary>
    private protected async Task<Socket> ExchangeAsync(Socket listener, NetConnection connection)
    {
        Socket peer = Opened(await listener.AcceptAsync().Within());
        byte[] there = [1, 2, 3], back = [4, 5];
        byte[] buffer = new byte[10];
        await Run(async () => await connection.WriteAsync(there));
        Assert.Equal(3, await peer.ReceiveAsync(buffer).Within());
        Assert.Equal(there, buffer[..3]);
        await peer.SendAsync(back).Within();
        Assert.Equal(2, await Run(async () => await connection.ReadAsync(buffer)));
        Assert.Equal(back, buffer[..2]);
        return peer;
    }
}
