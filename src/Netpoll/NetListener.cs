using System.Net;
using System.Net.Sockets;
using static NetGo.Netpoll.LinuxSockets;
using SystemChannels = System.Threading.Channels;

namespace NetGo.Netpoll;

/// <summary>Listens for stream connections; Go's net.Listener. It is opened once per processor (SO_REUSEPORT), and a connection
/// stays with the poller of the processor that accepted it.</summary>
public sealed class NetListener : IDisposable
{
    private readonly Shard[] _shards;
    private readonly Lock _lock = new();
    private SystemChannels.Channel<NetConnection>? _accepted;

    private NetListener(Shard[] shards, IPEndPoint local)
    {
        _shards = shards;
        LocalEndPoint = local;
    }

    /// <summary>The address; with the port that the system chose, where 0 was asked for.</summary>
    public IPEndPoint LocalEndPoint { get; }

    internal int ShardCount => _shards.Length;

    /// <summary>Listens on an address, on the current scheduler.</summary>
    /// <param name="address">"host:port", ":port" for all addresses, "[v6]:port". Port 0 is any free one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="FormatException">The address is none of these.</exception>
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    public static NetListener Listen(string address, ListenOptions? options = null) => Listen(SocketAddresses.Parse(address), options);

    /// <summary>Listens on an end point, on the current scheduler.</summary>
    /// <param name="endPoint">Port 0 is any free one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    public static NetListener Listen(IPEndPoint endPoint, ListenOptions? options = null) => Listen(GoScheduler.Current, endPoint, options);

    internal static NetListener Listen(GoScheduler scheduler, IPEndPoint endPoint, ListenOptions? options)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        options ??= new ListenOptions();
        int count = options.Shards > 0 ? options.Shards : scheduler.MaxProcs;
        var shards = new List<Shard>(count);
        try
        {
            for (int i = 0; i < count; i++)
            {
                int descriptor = OpenSocket(endPoint, options, first: i == 0, shared: count > 1);
                shards.Add(new Shard(scheduler, PollerSelection.For(scheduler, i % scheduler.MaxProcs), descriptor, endPoint.AddressFamily));
                if (i == 0)
                    endPoint = (IPEndPoint)SocketAddresses.LocalOf(descriptor, endPoint.AddressFamily);
            }
        }
        catch
        {
            foreach (Shard shard in shards)
                shard.Close();
            throw;
        }
        return new NetListener([.. shards], endPoint);
    }

    // The first socket binds alone, without SO_REUSEPORT, so that an address that is in use is an error, even when its user
    // would share it. Then it joins the group, before it listens, and the others follow.
    private static unsafe int OpenSocket(IPEndPoint endPoint, ListenOptions options, bool first, bool shared)
    {
        int descriptor = LinuxSockets.Socket(FamilyNumber(endPoint.AddressFamily), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
        if (descriptor < 0)
            throw ExceptionFor(LastError, "socket");
        try
        {
            Require(SetOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1), endPoint);
            if (shared && !first)
                Require(SetOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1), endPoint);
            if (options.NoDelay)
                Require(SetOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1), endPoint); // inherited by what is accepted
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                Require(SetOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, endPoint.Address.Equals(IPAddress.IPv6Any) ? 0 : 1), endPoint);
            SocketAddress address = endPoint.Serialize();
            fixed (byte* raw = address.Buffer.Span)
                Require(Bind(descriptor, raw, (uint)address.Size), endPoint);
            if (shared && first)
                Require(SetOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1), endPoint);
            Require(LinuxSockets.Listen(descriptor, options.Backlog), endPoint);
            return descriptor;
        }
        catch
        {
            _ = LinuxSockets.Close(descriptor);
            throw;
        }
    }

    private static int FamilyNumber(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => 2,
        AddressFamily.InterNetworkV6 => 10,
        _ => throw new NotSupportedException($"Cannot listen on addresses of family {family}."),
    };

    private static void Require(int result, IPEndPoint endPoint)
    {
        if (result != 0)
            throw ExceptionFor(LastError, $"listen on {endPoint}");
    }

    /// <summary>Accepts a connection; Go's Accept.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ObjectDisposedException">The listener has been closed.</exception>
    public async ValueTask<NetConnection> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await Accepted().Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (SystemChannels.ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(NetListener), "The listener has been closed.");
        }
    }

    // The pumps of all shards feed one bounded channel, so no more is accepted than is taken, plus one per shard.
    private SystemChannels.Channel<NetConnection> Accepted()
    {
        lock (_lock)
        {
            if (_accepted is { } existing)
                return existing;
            SystemChannels.Channel<NetConnection> channel = SystemChannels.Channel.CreateBounded<NetConnection>(1);
            int running = _shards.Length;
            foreach (Shard shard in _shards)
            {
                shard.Scheduler.Spawn(async () =>
                {
                    while (await shard.AcceptAsync() is { } connection)
                        await HandOverAsync(channel.Writer, connection);
                    if (Interlocked.Decrement(ref running) == 0)
                        channel.Writer.TryComplete();
                });
            }
            return _accepted = channel;
        }
    }

    private static async ValueTask HandOverAsync(SystemChannels.ChannelWriter<NetConnection> writer, NetConnection connection)
    {
        try
        {
            await writer.WriteAsync(connection);
        }
        catch (SystemChannels.ChannelClosedException)
        {
            connection.Close();
        }
    }

    /// <summary>Accepts on one shard; null when the listener has been closed. For servers that run a loop per shard.</summary>
    internal ValueTask<NetConnection?> AcceptAsync(int shard) => _shards[shard].AcceptAsync();

    internal GoScheduler Scheduler => _shards[0].Scheduler;

    /// <summary>Stops listening. Connections that wait to be accepted are refused; those accepted live on.</summary>
    public void Close()
    {
        foreach (Shard shard in _shards)
            shard.Close();
        lock (_lock)
        {
            if (_accepted is null || !_accepted.Writer.TryComplete())
                return;
            while (_accepted.Reader.TryRead(out NetConnection? connection))
                connection.Close();
        }
    }

    /// <inheritdoc cref="Close"/>
    public void Dispose() => Close();

    private sealed class Shard
    {
        private const int FirstBackOffMilliseconds = 5;
        private const int LastBackOffMilliseconds = 1000;

        private readonly INetPoller _poller;
        private readonly NetConnection _socket; // a listening socket waits and closes like any other
        private readonly AddressFamily _family;
        private int _backOff = FirstBackOffMilliseconds;

        public Shard(GoScheduler scheduler, INetPoller poller, int descriptor, AddressFamily family)
        {
            Scheduler = scheduler;
            _poller = poller;
            _family = family;
            _socket = new NetConnection(scheduler, poller, descriptor, family);
        }

        public GoScheduler Scheduler { get; }

        public async ValueTask<NetConnection?> AcceptAsync()
        {
            while (true)
            {
                if (!_socket.TryAddReference())
                    return null;
                try
                {
                    int descriptor = Accept(_socket.Descriptor);
                    if (descriptor >= 0)
                    {
                        _backOff = FirstBackOffMilliseconds;
                        if (Machine.SpendBudget())
                            await Go.YieldAsync();
                        return new NetConnection(Scheduler, _poller, descriptor, _family);
                    }
                    int error = LastError;
                    if (error == EAGAIN)
                    {
                        if (await _socket.WaitAsync(PollMode.Read) == PollResult.Closing)
                            return null;
                    }
                    else if (error is not (EINTR or ECONNABORTED or EPROTO))
                    {
                        // Out of descriptors or memory, most often: the connection stays in the backlog until some are freed.
                        await Go.SleepAsync(TimeSpan.FromMilliseconds(_backOff));
                        _backOff = Math.Min(_backOff * 2, LastBackOffMilliseconds);
                    }
                    // Else it is that one connection's failure (accept(2)): the next may be well.
                }
                finally
                {
                    _socket.Release();
                }
            }
        }

        private static unsafe int Accept(int socket) => Accept4(socket, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);

        public void Close() => _socket.Close();
    }
}
