using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>An HTTP/1.1 server; Go's http.Server. Set its properties before it serves: they are read once then.</summary>
public sealed partial class Server : IAsyncDisposable
{
    private const int MinHeaderBytes = 256;
    private const int MaxHeaderBytesLimit = 48 * 1024;
    private static readonly TimeSpan s_maxTimeout = TimeSpan.FromDays(3650);

    private readonly Lock _lock = new();
    private readonly List<NetListener> _listeners = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Http1Connection? _connections;
    private int _connectionCount;
    private int _hijackedCount;
    private int _acceptorCount;
    private volatile bool _shuttingDown;
    private volatile bool _closed;
    private HttpLimits? _limits;
    private byte[] _serverFieldLine = [];
    private ConnectionAdmission? _admission;
    private long _outOfBuffersReported = long.MinValue / 2; // in ms of Environment.TickCount64
    private long _tooManyReported = long.MinValue / 2;

    /// <summary>Where <see cref="ListenAndServeAsync"/> listens: "host:port", ":port" for all addresses, "unix:path" for a Unix socket,
    /// "unix:@name" for one with an abstract name (Linux). ":8080" by default.</summary>
    public string Address { get; set; } = ":8080";

    /// <summary>Who answers the requests. By default everything is answered with 404.</summary>
    public IHandler Handler { get; set; } = new ServeMux();

    /// <summary>The value of the Server field of every response; null, the default, for none.</summary>
    public string? ServerName { get; set; }

    /// <summary>The longest request line in bytes; beyond it the answer is 414. 8 KiB by default.</summary>
    public int MaxRequestLineSize { get; set; } = 8 * 1024;

    /// <summary>The longest head of a request, and the longest trailer, in bytes; beyond it the answer is 431. 32 KiB by
    /// default, 48 KiB at most.</summary>
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>The most fields of a request; beyond it the answer is 431. 100 by default.</summary>
    public int MaxHeaderCount { get; set; } = 100;

    /// <summary>The longest content of a request in bytes; beyond it the answer is 413. 30,000,000 by default, as in Kestrel.
    /// </summary>
    public long MaxRequestBodySize { get; set; } = 30_000_000;

    /// <summary>How long the head of a request may take from its first byte; beyond it the answer is 408. 30 s by default.
    /// </summary>
    public TimeSpan ReadHeaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a read of content waits for more. 30 s by default.</summary>
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a write waits for a client that reads nothing at all, before the connection is reset. 30 s by default.
    /// </summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection is kept open without a request. 130 s by default, as in Kestrel. For its first request a connection has
    /// no longer than <see cref="ReadHeaderTimeout"/>, as in Go.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>How long a request waits for memory when the scheduler's <see cref="BufferPool"/> is at its limit. After that it is answered
    /// with 503 (RFC 9110, section 15.6.4), unread, and the connection closed. The default is a second.</summary>
    public TimeSpan BufferTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How fast a client must send the content of a request; one that is slower is answered with 408. 240 bytes per second by
    /// default, after a grace period of 30 s; null for none. Not in force while a handler has set a read deadline of its own.</summary>
    public MinDataRate? MinRequestBodyDataRate { get; set; } = new(240, TimeSpan.FromSeconds(30));

    /// <summary>How fast a client must read responses; the connection of one that is slower is reset. 240 bytes per second by default,
    /// after a grace period of 30 s; null for none. Not in force while a handler has set a write deadline of its own.</summary>
    public MinDataRate? MinResponseDataRate { get; set; } = new(240, TimeSpan.FromSeconds(30));

    /// <summary>The most connections that are open at a time, those included that handlers have taken over; beyond it a client is answered
    /// with 503, unread, and its connection closed. 100,000 by default: idle they cost a kilobyte each.</summary>
    public int MaxConnections { get; set; } = 100_000;

    /// <summary>The most connections from one address (of IPv6, from one /64) at a time; beyond it as with
    /// <see cref="MaxConnections"/>. No limit by default, because many clients may share an address behind a proxy or a NAT.
    /// Those over Unix sockets are not counted.</summary>
    public int MaxConnectionsPerAddress { get; set; } = int.MaxValue;

    /// <summary>How many bytes of its responses the system takes for a connection before it has sent them (TCP_NOTSENT_LOWAT, on Linux). What it
    /// has sent, and the client not read, is not among them. Without this limit the system's buffers grow with a fast network, and a client that
    /// reads slowly, or none at all, holds megabytes of the system's memory, and a few thousand of them all that there is for TCP.
    /// 128 KiB by default; <see cref="int.MaxValue"/> for none.</summary>
    public int MaxUnsentBytes { get; set; } = 128 * 1024;

    /// <summary>Where it is logged what is served on, handlers' exceptions, refused requests, and that descriptors have run out. Nowhere by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Makes the meter of the instruments "http.server.*" and "netgo.http.*"; null, the default, for one that all such servers of the process
    /// have in common. Its name is "NetGo.Http" in either case.</summary>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>The number of connections that are open.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>Makes the context that those of a listener's requests derive from, when it begins to be served; Go's BaseContext. By default it
    /// is <see cref="Context.Background"/>.</summary>
    public Func<NetListener, Context>? BaseContext { get; set; }

    /// <summary>Makes the context that those of a connection's requests derive from, of the listener's; Go's ConnContext. Called for each
    /// connection: one for which it throws is closed.</summary>
    public Func<Context, NetConnection, Context>? ConnContext { get; set; }

    /// <summary>Called when a connection changes its state, on its goroutine; Go's ConnState. It must not throw, nor read, write or close the
    /// connection.</summary>
    public Action<NetConnection, ConnState>? OnConnState { get; set; }

    internal HttpLimits Limits => _limits!;

    /// <summary>Null until it serves.</summary>
    internal HttpMetrics? Metrics { get; private set; }

    /// <summary>The number of connections that handlers have taken over and not closed yet.</summary>
    internal int HijackedCount => Volatile.Read(ref _hijackedCount);

    internal bool IsShuttingDown => _shuttingDown;

    internal bool IsClosed => _closed;

    internal ReadOnlySpan<byte> ServerFieldLine => _serverFieldLine;

    /// <summary>Listens on <see cref="Address"/> and serves until shutdown; Go's ListenAndServe.</summary>
    /// <param name="cancellationToken">Begins a graceful shutdown.</param>
    /// <exception cref="FormatException">The address is malformed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The address is in use, or not allowed.</exception>
    /// <exception cref="InvalidOperationException">A limit is out of range.</exception>
    public Task ListenAndServeAsync(CancellationToken cancellationToken = default) =>
        ServeAsync(NetListener.Listen(Address, new ListenOptions { Logger = Logger }), cancellationToken);

    /// <summary>Serves the connections of a listener until shutdown, which closes it; Go's Serve. Completes when all
    /// connections have ended.</summary>
    /// <param name="listener">Belongs to the server from now on.</param>
    /// <param name="cancellationToken">Begins a graceful shutdown.</param>
    /// <exception cref="InvalidOperationException">A limit is out of range, or the server has been shut down.</exception>
    public Task ServeAsync(NetListener listener, CancellationToken cancellationToken = default) => ServeAsync(listener, null, cancellationToken);

    /// <summary>As <see cref="ListenAndServeAsync"/>, with TLS; Go's ListenAndServeTLS.</summary>
    /// <param name="tls">The certificate, and more.</param>
    /// <param name="cancellationToken">Begins a graceful shutdown.</param>
    /// <inheritdoc cref="ListenAndServeAsync" path="/exception"/>
    public Task ListenAndServeTlsAsync(TlsOptions tls, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tls);
        tls.Validate();
        return ServeAsync(NetListener.Listen(Address, new ListenOptions { Logger = Logger }), tls, cancellationToken);
    }

    /// <summary>As <see cref="ServeAsync(NetListener, CancellationToken)"/>, with TLS; Go's ServeTLS. One server may serve several listeners, with
    /// and without.</summary>
    /// <param name="listener">Belongs to the server from now on.</param>
    /// <param name="tls">The certificate, and more.</param>
    /// <param name="cancellationToken">Begins a graceful shutdown.</param>
    /// <inheritdoc cref="ServeAsync(NetListener, CancellationToken)" path="/exception"/>
    public Task ServeTlsAsync(NetListener listener, TlsOptions tls, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tls);
        tls.Validate();
        return ServeAsync(listener, tls, cancellationToken);
    }

    private async Task ServeAsync(NetListener listener, TlsOptions? tls, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(listener);
        Context context;
        try
        {
            context = BaseContext?.Invoke(listener) ?? Context.Background;
            Take(listener);
            if (MaxUnsentBytes < int.MaxValue)
                listener.LimitUnsent(MaxUnsentBytes);
        }
        catch
        {
            listener.Close();
            throw;
        }
        HttpLog.Serving(Logger, listener.LocalEndPoint, listener.Scheduler.GetPollerKind());
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static server => _ = ((Server)server!).ShutdownAsync(), this);
        Task[] acceptors = new Task[listener.ShardCount];
        for (int i = 0; i < acceptors.Length; i++)
        {
            int shard = i;
            acceptors[i] = listener.Scheduler.RunAsync(() => AcceptAsync(listener, shard, context, tls));
        }
        await Task.WhenAll(acceptors).ConfigureAwait(false);
        await _drained.Task.ConfigureAwait(false);
    }

    private void Take(NetListener listener)
    {
        lock (_lock)
        {
            if (_shuttingDown)
                throw new InvalidOperationException("The server has been shut down. Make a new one.");
            ReadProperties();
            BeginMetrics();
            _listeners.Add(listener);
            _acceptorCount += listener.ShardCount;
        }
    }

    private void BeginMetrics()
    {
        if (Metrics is not null)
            return;
        Metrics = HttpMetrics.Of(MeterFactory);
        Metrics.Observe(this);
    }

    private async Task AcceptAsync(NetListener listener, int shard, Context context, TlsOptions? tls)
    {
        ConnectionAdmission admission = _admission!;
        bool perAddress = MaxConnectionsPerAddress < int.MaxValue;
        try
        {
            while (await listener.AcceptAsync(shard) is { } transport)
            {
                if (!admission.TryEnter(transport, perAddress ? transport.RemoteEndPoint : null))
                {
                    RefuseBeyondLimit(transport, tls);
                    continue;
                }
                Http1Connection? connection = ContextFor(transport, context) is { } own ? new(this, new SocketTransport(transport), own, tls) : null;
                if (connection is not null && Add(connection))
                {
                    listener.Scheduler.Spawn(static c => ((Http1Connection)c!).ServeAsync(), connection);
                }
                else
                {
                    transport.Close();
                    admission.Leave(transport);
                }
            }
        }
        catch (Exception e)
        {
            HttpLog.AcceptFailed(Logger, listener.LocalEndPoint, e);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                _acceptorCount--;
                CompleteIfDrained();
            }
        }
    }

    // Best effort: no memory is spent on it, nor a wait. What the client has sent is read, for a close with unread bytes takes the answer along.
    private void RefuseBeyondLimit(NetConnection connection, TlsOptions? tls)
    {
        Metrics!.Rejected();
        if (IsDue(ref _tooManyReported))
            HttpLog.TooManyConnections(Logger, connection.RemoteEndPoint);
        if (tls is null && connection.TryAddReference())
        {
            _ = connection.TryWrite(TooManyConnections);
            _ = connection.TryRead(stackalloc byte[2048]);
            connection.CloseWriteQuietly();
            connection.Release();
        }
        connection.Close();
    }

    private static ReadOnlySpan<byte> TooManyConnections =>
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 51\r\n\r\n"u8 +
        "503 Service Unavailable: there are too many clients"u8;

    private Context? ContextFor(NetConnection connection, Context context)
    {
        if (ConnContext is not { } make)
            return context;
        try
        {
            return make(context, connection);
        }
        catch (Exception e)
        {
            HttpLog.ConnContextFailed(Logger, e);
            return null;
        }
    }

    // A server without memory has better things to do than to write a line for each request.
    internal void ReportOutOfBuffers(Exception e)
    {
        if (IsDue(ref _outOfBuffersReported))
            HttpLog.OutOfBuffers(Logger, e);
    }

    private static bool IsDue(ref long reported)
    {
        long now = Environment.TickCount64;
        long last = Volatile.Read(ref reported);
        return now - last >= 10_000 && Interlocked.CompareExchange(ref reported, now, last) == last;
    }

    /// <exception cref="InvalidOperationException">One is out of range.</exception>
    internal void ReadProperties()
    {
        _limits ??= ReadLimits();
        _admission ??= new ConnectionAdmission(MaxConnections, MaxConnectionsPerAddress);
        if (ServerName is { } name)
            _serverFieldLine = HttpSyntax.IsFieldValue(name) ? Encoding.Latin1.GetBytes($"Server: {name}\r\n") : throw new InvalidOperationException("ServerName holds a character that a field cannot.");
    }

    private HttpLimits ReadLimits()
    {
        Require(MaxRequestLineSize >= 16 && MaxRequestLineSize <= MaxHeaderBytesLimit, nameof(MaxRequestLineSize), $"16 to {MaxHeaderBytesLimit}");
        Require(MaxHeaderBytes >= MinHeaderBytes && MaxHeaderBytes <= MaxHeaderBytesLimit, nameof(MaxHeaderBytes), $"{MinHeaderBytes} to {MaxHeaderBytesLimit}");
        Require(MaxHeaderCount >= 1, nameof(MaxHeaderCount), "at least 1");
        Require(MaxConnections >= 1, nameof(MaxConnections), "at least 1");
        Require(MaxConnectionsPerAddress >= 1, nameof(MaxConnectionsPerAddress), "at least 1");
        Require(MaxUnsentBytes >= 1, nameof(MaxUnsentBytes), "at least 1");
        Require(MaxRequestBodySize >= 0, nameof(MaxRequestBodySize), "at least 0");
        return new HttpLimits(
            MaxRequestLineSize, MaxHeaderBytes, MaxHeaderCount, MaxRequestBodySize,
            Nanoseconds(ReadHeaderTimeout, nameof(ReadHeaderTimeout)), Nanoseconds(ReadTimeout, nameof(ReadTimeout)),
            Nanoseconds(WriteTimeout, nameof(WriteTimeout)), Nanoseconds(IdleTimeout, nameof(IdleTimeout)),
            Nanoseconds(BufferTimeout, nameof(BufferTimeout)), MinRequestBodyDataRate, MinResponseDataRate);
    }

    private static long Nanoseconds(TimeSpan time, string name)
    {
        if (time == Timeout.InfiniteTimeSpan)
            return s_maxTimeout.Ticks * 100;
        Require(time > TimeSpan.Zero && time <= s_maxTimeout, name, "positive, or Timeout.InfiniteTimeSpan");
        return time.Ticks * 100;
    }

    private static void Require(bool condition, string name, string range)
    {
        if (!condition)
            throw new InvalidOperationException($"Server.{name} must be {range}.");
    }

    /// <summary>Stops accepting, closes idle connections, and waits for the others to end the request that they are at; Go's
    /// Shutdown. As in Go, a connection on which there has been no request yet has 5 s for one.</summary>
    /// <param name="cancellationToken">Ends the wait: then <see cref="Close"/> closes the rest.</param>
    public async Task ShutdownAsync(CancellationToken cancellationToken = default)
    {
        Http1Connection[] connections;
        lock (_lock)
        {
            _shuttingDown = true;
            foreach (NetListener listener in _listeners)
                listener.Close();
            connections = Snapshot();
            CompleteIfDrained();
        }
        foreach (Http1Connection connection in connections)
            connection.CloseIfIdle();
        await _drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops at once: connections are closed whatever they are at; Go's Close.</summary>
    public void Close()
    {
        _ = ShutdownAsync(new CancellationToken(canceled: true));
        Http1Connection[] connections;
        lock (_lock)
        {
            _closed = true;
            connections = Snapshot();
        }
        foreach (Http1Connection connection in connections)
            connection.Close();
    }

    /// <summary>Closes the server and waits for its handlers to end.</summary>
    public async ValueTask DisposeAsync()
    {
        Close();
        await _drained.Task.ConfigureAwait(false);
    }

    private Http1Connection[] Snapshot()
    {
        Http1Connection[] all = new Http1Connection[_connectionCount];
        int i = 0;
        for (Http1Connection? c = _connections; c is not null; c = c.Next)
            all[i++] = c;
        return all;
    }

    // During a shutdown too: what has been accepted just before is served. Nothing else would know of it, when the listener has been
    // handed over.
    private bool Add(Http1Connection connection)
    {
        lock (_lock)
        {
            if (_closed)
                return false;
            connection.Next = _connections;
            if (_connections is not null)
                _connections.Previous = connection;
            _connections = connection;
            _connectionCount++;
            return true;
        }
    }

    /// <summary>A connection has ended.</summary>
    internal void Leave(NetConnection? connection)
    {
        if (connection is not null)
            _admission!.Leave(connection);
    }

    internal void RemoveHijacked(Http1Connection connection)
    {
        Interlocked.Increment(ref _hijackedCount);
        Remove(connection);
    }

    /// <summary>What has taken a connection over has closed it.</summary>
    internal void LeaveHijacked(NetConnection? connection)
    {
        Interlocked.Decrement(ref _hijackedCount);
        Leave(connection);
    }

    internal void Remove(Http1Connection connection)
    {
        lock (_lock)
        {
            if (connection.Previous is null)
                _connections = connection.Next;
            else
                connection.Previous.Next = connection.Next;
            if (connection.Next is not null)
                connection.Next.Previous = connection.Previous;
            connection.Next = connection.Previous = null;
            _connectionCount--;
            CompleteIfDrained();
        }
    }

    private void CompleteIfDrained()
    {
        if (_shuttingDown && _connectionCount == 0 && _acceptorCount == 0)
            _drained.TrySetResult();
    }
}
