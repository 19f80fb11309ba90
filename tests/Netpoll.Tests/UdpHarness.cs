using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>A scheduler with UDP sockets, and System.Net.Sockets peers.</summary>
internal sealed class UdpHarness : IDisposable
{
    private readonly Loopback _net;
    private readonly List<IDisposable> _open = [];

    public UdpHarness(int processors = 1)
        : this(Bounded.NewScheduler(processors))
    {
    }

    public UdpHarness(GoScheduler scheduler) => _net = new Loopback(scheduler);

    public GoScheduler Scheduler => _net.Scheduler;

    public UdpSocket Bind(IPAddress? address = null, UdpOptions? options = null, int port = 0)
    {
        var endPoint = new IPEndPoint(address ?? IPAddress.Loopback, port);
        return Opened(UdpSocket.Open(Scheduler, endPoint.AddressFamily, endPoint, null, options ?? new UdpOptions()));
    }

    public UdpSocket Connect(EndPoint endPoint, UdpOptions? options = null) =>
        Opened(UdpSocket.Open(Scheduler, endPoint.AddressFamily, null, (IPEndPoint)endPoint, options ?? new UdpOptions()));

    /// <summary>Whose receives end after <see cref="Bounded.Limit"/>.</summary>
    public Socket NewPeer(IPAddress? address = null)
    {
        address ??= IPAddress.Loopback;
        Socket peer = Opened(new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        peer.Bind(new IPEndPoint(address, 0));
        peer.ReceiveTimeout = (int)Bounded.Limit.TotalMilliseconds;
        return peer;
    }

    /// <summary>A connected pair of Unix datagram sockets: the only ones with which a send over loopback finds no room, for the
    /// receiver keeps few datagrams (net.unix.max_dgram_qlen).</summary>
    public (UdpSocket Sender, Socket Receiver) NewPairThatFills()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no datagrams on Unix sockets.");
        using var directory = new TempDirectory();
        var endPoint = new UnixDomainSocketEndPoint(directory["s"]);
        Socket receiver = Opened(new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified));
        receiver.Bind(endPoint);
        receiver.ReceiveTimeout = (int)Bounded.Limit.TotalMilliseconds;
        nint descriptor = SystemSockets.Open(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified, out int error);
        Assert.True(descriptor >= 0, $"socket: {error}");
        SocketAddress raw = endPoint.Serialize();
        SystemSockets.Require(SystemSockets.Connect(descriptor, raw.Buffer.Span[..raw.Size]), "connect");
        var sender = new UdpSocket(Scheduler, PollerSelection.For(Scheduler, 0), descriptor, AddressFamily.Unix, null);
        return (Opened(sender), receiver);
    }

    /// <summary>Sends until there is no room; how many.</summary>
    public static int Fill(UdpSocket socket)
    {
        int count = 0;
        while (socket.TrySend([0], default) >= 0)
            count++;
        return count;
    }

    private T Opened<T>(T socket)
        where T : IDisposable
    {
        _open.Add(socket);
        return socket;
    }

    public Task Run(Func<Task> body) => _net.Run(body);

    public Task<T> Run<T>(Func<Task<T>> body) => _net.Run(body);

    public Task<T> Parked<T>(Func<ValueTask<T>> operation) => _net.Parked(operation);

    public Task Parked(Func<ValueTask> operation) => _net.Parked(operation);

    public void Dispose()
    {
        _open.ForEach(o => o.Dispose());
        _net.Dispose();
    }
}
