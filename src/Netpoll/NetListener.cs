using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>Listens for stream connections; Go's net.Listener. It is opened once per processor (SO_REUSEPORT), and a connection
/// stays with the poller of the processor that accepted it. A Unix socket's connections go to all processors in turn.</summary>
public sealed partial class NetListener : IDisposable
{
    private const int AcceptedCapacity = 16;

    private readonly ListenSocket[] _shards;
    private readonly Lock _lock = new();
    private Channel<NetConnection>? _accepted;
    private bool _acceptedEnded;

    private NetListener(ListenSocket[] shards, EndPoint local, string name)
    {
        _shards = shards;
        LocalEndPoint = local;
        Name = name;
    }

    /// <summary>The address; with the port that the system chose, where 0 was asked for.</summary>
    public EndPoint LocalEndPoint { get; }

    /// <summary>What it is called when it goes from one process to another: <see cref="ListenOptions.Name"/>, or what the process said
    /// from which it came.</summary>
    public string Name { get; }

    internal int ShardCount => _shards.Length;

    internal ReadOnlySpan<ListenSocket> Shards => _shards;

    // What is accepted from now on takes no more bytes than this that it has not sent yet, where the system knows such a limit.
    internal void LimitUnsent(int bytes)
    {
        foreach (ListenSocket shard in _shards)
        {
            if (shard.LocalEndPoint is not IPEndPoint || !shard.TryAddReference())
                continue;
            _ = SystemSockets.LimitUnsent(shard.Descriptor, bytes);
            shard.Release();
        }
    }

    /// <summary>Listens on an address, on the current scheduler.</summary>
    /// <param name="address">"host:port", ":port" for all addresses, "[v6]:port"; port 0 is any free one. "unix:path" for a Unix
    /// socket, "unix:@name" for one with an abstract name, which Linux has.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="FormatException">The address is none of these.</exception>
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no such sockets.</exception>
    public static NetListener Listen(string address, ListenOptions? options = null) => Listen(SocketAddresses.ParseListenAddress(address), options);

    /// <summary>Listens on an end point, on the current scheduler.</summary>
    /// <param name="endPoint">Port 0 is any free one. The file that a <see cref="UnixDomainSocketEndPoint"/> names is made; when it
    /// is that of a socket to which nobody listens any more, it is removed first.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SocketException">The address is in use, or not allowed. Of a Unix socket too when a file is in the way that is
    /// no socket.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no such sockets.</exception>
    public static NetListener Listen(EndPoint endPoint, ListenOptions? options = null) => Listen(GoScheduler.Current, endPoint, options);

    internal static NetListener Listen(GoScheduler scheduler, EndPoint endPoint, ListenOptions? options)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        options ??= new ListenOptions();
        if (endPoint is UnixDomainSocketEndPoint)
            return ListenUnix(scheduler, endPoint, options);
        bool canShare = SystemSockets.CanShareAddress && endPoint is IPEndPoint;
        int count = !canShare ? 1 : options.Shards > 0 ? options.Shards : scheduler.MaxProcs;
        var shards = new List<ListenSocket>(count);
        try
        {
            for (int i = 0; i < count; i++)
            {
                INetPoller[] pollers = canShare ? [PollerSelection.For(scheduler, i % scheduler.MaxProcs)] : PollerSelection.All(scheduler);
                nint descriptor = OpenSocket(endPoint, options, first: i == 0, shared: count > 1);
                shards.Add(new ListenSocket(scheduler, pollers, descriptor, options));
                if (i == 0)
                    endPoint = shards[0].LocalEndPoint;
            }
        }
        catch
        {
            foreach (ListenSocket shard in shards)
                shard.Close();
            throw;
        }
        return new NetListener([.. shards], endPoint, options.Name);
    }

    // The first socket binds alone, without SO_REUSEPORT, so that an address that is in use is an error, even when its user
    // would share it. Then it joins the group, before it listens, and the others follow.
    private static nint OpenSocket(EndPoint endPoint, ListenOptions options, bool first, bool shared)
    {
        string doing = $"listen on {endPoint}";
        nint socket = SystemSockets.Open(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp, out int error);
        if (socket < 0)
            throw SystemSockets.ExceptionFor(error, doing);
        try
        {
            // On Windows it would let others take the address over.
            if (!OperatingSystem.IsWindows())
                Require(SystemSockets.SetOption(socket, SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1));
            if (shared && !first)
                Require(UnixSockets.ShareAddress(socket));
            options.ApplyToListener(socket, endPoint);
            SocketAddress address = endPoint.Serialize();
            Require(SystemSockets.Bind(socket, address.Buffer.Span[..address.Size]));
            if (shared && first)
                Require(UnixSockets.ShareAddress(socket));
            Require(SystemSockets.Listen(socket, options.Backlog));
            return socket;
        }
        catch
        {
            _ = SystemSockets.Close(socket);
            throw;
        }

        void Require(int result) => SystemSockets.Require(result, doing);
    }

    /// <summary>Accepts a connection; Go's Accept.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ObjectDisposedException">The listener has been closed, or handed over; what had been accepted by then has been
    /// taken.</exception>
    public async ValueTask<NetConnection> AcceptAsync(CancellationToken cancellationToken = default)
    {
        (NetConnection connection, bool ok) = await (Volatile.Read(ref _accepted) ?? StartAccepting()).ReceiveAsync(cancellationToken);
        return ok ? connection : throw new ObjectDisposedException(nameof(NetListener), "The listener has been closed.");
    }

    // The pumps of all shards feed one channel, so no more is accepted than is taken, but for what it holds and one for each shard.
    // It holds a few, so that a pump and who takes do not have to switch for each.
    private Channel<NetConnection> StartAccepting()
    {
        lock (_lock)
        {
            if (_accepted is { } existing)
                return existing;
            ReportAccepting();
            Channel<NetConnection> channel = Channel.Make<NetConnection>(AcceptedCapacity);
            int running = _shards.Length;
            foreach (ListenSocket shard in _shards)
            {
                shard.Scheduler.Spawn(async () =>
                {
                    while (await shard.AcceptAsync() is { } connection)
                        await DeliverAsync(channel, connection);
                    if (Interlocked.Decrement(ref running) == 0)
                        EndAccepted();
                });
            }
            Volatile.Write(ref _accepted, channel);
            return channel;
        }
    }

    private static async ValueTask DeliverAsync(Channel<NetConnection> to, NetConnection connection)
    {
        try
        {
            await to.SendAsync(connection);
        }
        catch (ChannelClosedException)
        {
            connection.Close();
        }
    }

    private void EndAccepted()
    {
        lock (_lock)
        {
            if (_accepted is null || _acceptedEnded)
                return;
            _acceptedEnded = true;
            _accepted.Close();
        }
    }

    /// <summary>Accepts on one shard; null when the listener has been closed. For servers that run a loop per shard.</summary>
    internal ValueTask<NetConnection?> AcceptAsync(int shard)
    {
        if (_report is not null)
            ReportAccepting();
        return _shards[shard].AcceptAsync();
    }

    internal GoScheduler Scheduler => _shards[0].Scheduler;

    /// <summary>Stops listening. Connections that wait to be accepted are refused, unless another process has the listener too: they are
    /// its then. Those that <see cref="AcceptAsync(CancellationToken)"/> has given live on.</summary>
    public void Close()
    {
        UnlinkFile();
        CloseShards();
        ReportClosed();
        EndAccepted();
        while (Volatile.Read(ref _accepted) is { } accepted && accepted.TryReceive(out NetConnection? connection))
            connection.Close();
    }

    private void CloseShards()
    {
        foreach (ListenSocket shard in _shards)
            shard.Close();
    }

    /// <inheritdoc cref="Close"/>
    public void Dispose() => Close();
}
