using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections;

/// <summary>Runs connection handlers over any transport of ASP.NET Core's abstractions. Made by <see cref="ServerBuilder"/>; started and stopped
/// once. All members may be used from any thread.</summary>
public sealed class Server
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    private readonly ServerBinding[] _bindings;
    private readonly IConnectionListenerFactory _listenerFactory;
    private readonly TimeSpan _shutdownTimeout;
    private readonly TimeSpan _heartbeatInterval;
    private readonly ConnectionSet _connections;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly Lock _lock = new();
    private bool _started;
    private AcceptLoop[] _loops = [];
    private Task? _stop;
    private Timer? _heartbeat;
    private int _beating;

    internal Server(ServerBuilder builder)
    {
        _bindings = [.. builder.Bindings];
        ILoggerFactory loggerFactory = builder.LoggerFactory;
        Logger = loggerFactory.CreateLogger<Server>();
        _listenerFactory = builder.ListenerFactory ?? new NetpollTransportFactory(null, loggerFactory);
        _shutdownTimeout = builder.ShutdownTimeout;
        _heartbeatInterval = builder.HeartbeatInterval;
        _connections = new ConnectionSet(builder.MaxConnections ?? int.MaxValue);
    }

    /// <summary>Where it listens, in the order in which the end points were added, with the ports that the system chose where 0 was asked for.
    /// Empty before it has started.</summary>
    public IReadOnlyList<EndPoint> EndPoints => Array.ConvertAll(_loops, static loop => loop.Listener.EndPoint);

    /// <summary>How many connections there are.</summary>
    public int ConnectionCount => _connections.Count;

    internal ILogger Logger { get; }

    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>Listens on all end points, and then accepts. When it cannot listen on one, it listens on none.</summary>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="IOException">It cannot listen on an end point, most often because it is in use; the message says which.</exception>
    /// <exception cref="NotSupportedException">A transport does not know an end point's kind.</exception>
    /// <exception cref="InvalidOperationException">It has been started or stopped before.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_started || _stop is not null)
                throw new InvalidOperationException("The server has been started or stopped before: build another.");
            _started = true;
        }
        var listeners = new List<IConnectionListener>();
        var loops = new List<AcceptLoop>();
        try
        {
            foreach (ServerBinding binding in _bindings)
            {
                foreach (IConnectionListener listener in await binding.BindAsync(_listenerFactory, cancellationToken).ConfigureAwait(false))
                {
                    listeners.Add(listener);
                    loops.Add(new AcceptLoop(this, listener, binding.Application));
                }
            }
            lock (_lock)
            {
                if (_stop is not null)
                    throw new InvalidOperationException("The server has been stopped while it started.");
                _loops = [.. loops];
                foreach (AcceptLoop loop in _loops)
                    loop.Start();
            }
        }
        catch
        {
            await ServerBinding.DisposeAsync(listeners).ConfigureAwait(false);
            throw;
        }
        foreach (IConnectionListener listener in listeners)
            ServerLog.Listening(Logger, listener.EndPoint);
    }

    /// <summary>Stops accepting, asks the handlers to end (<see cref="Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeNotificationFeature"/>),
    /// waits until their connections have, and aborts those that have not within <see cref="ServerBuilder.ShutdownTimeout"/>. A handler that
    /// goes on even so is waited for for 1 s more. Called again it waits for the same end.</summary>
    /// <param name="cancellationToken">Ends the waiting earlier: the connections are aborted then.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        Task stop;
        lock (_lock)
            stop = _stop ??= Task.Run(EndAsync, CancellationToken.None);
        CancellationTokenRegistration hurry = cancellationToken.UnsafeRegister(static abort => ((CancellationTokenSource)abort!).Cancel(), _abort);
        await using (hurry.ConfigureAwait(false))
            await stop.ConfigureAwait(false);
    }

    private async Task EndAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        foreach (AcceptLoop loop in _loops)
            await UnbindAsync(loop).ConfigureAwait(false);
        Task empty = _connections.WhenEmpty();
        foreach (ServerConnection connection in _connections.ToArray())
            connection.RequestClose();
        if (!await EndsWithinAsync(empty, _shutdownTimeout, _abort.Token).ConfigureAwait(false))
            await AbortAsync(empty).ConfigureAwait(false);
        if (_heartbeat is { } heartbeat)
            await heartbeat.DisposeAsync().ConfigureAwait(false);
    }

    // Unbound, awaited to its end, and disposed of. Connections that it has accepted go on.
    private async Task UnbindAsync(AcceptLoop loop)
    {
        EndPoint endPoint = loop.Listener.EndPoint;
        try
        {
            await loop.Listener.UnbindAsync(_abort.Token).ConfigureAwait(false);
            await loop.Completion.WaitAsync(s_grace).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ServerLog.UnbindFailed(Logger, endPoint, e);
        }
        try
        {
            await loop.Listener.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ServerLog.UnbindFailed(Logger, endPoint, e);
        }
    }

    private async Task AbortAsync(Task empty)
    {
        ServerConnection[] connections = _connections.ToArray();
        ServerLog.Aborting(Logger, connections.Length);
        foreach (ServerConnection connection in connections)
            connection.Abort(new ConnectionAbortedException("The server stops."));
        if (!await EndsWithinAsync(empty, s_grace, CancellationToken.None).ConfigureAwait(false))
            ServerLog.NotEnded(Logger, _connections.Count);
    }

    private static async Task<bool> EndsWithinAsync(Task task, TimeSpan limit, CancellationToken cancellationToken)
    {
        await task.WaitAsync(limit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    // ---- For its loops and connections ----

    internal void Take(ConnectionContext transport, ConnectionDelegate application)
    {
        var connection = new ServerConnection(this, transport, application);
        if (!_connections.TryAdd(connection))
        {
            ServerLog.Refused(Logger, transport.ConnectionId, _connections.Limit);
            _ = RefuseAsync(transport);
            return;
        }
        try
        {
            connection.Start();
        }
        catch
        {
            _connections.Remove(connection);
            _ = RefuseAsync(transport);
            throw;
        }
    }

    private async Task RefuseAsync(ConnectionContext transport)
    {
        try
        {
            transport.Abort(new ConnectionAbortedException("The server does not take the connection."));
            await transport.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ServerLog.DisposeFailed(Logger, transport.ConnectionId, e);
        }
    }

    internal void Remove(ServerConnection connection) => _connections.Remove(connection);

    /// <summary>Somebody wants to be called from time to time: until then there is no timer.</summary>
    internal void StartHeartbeat()
    {
        lock (_lock)
        {
            if (_stop is not null || _heartbeat is not null)
                return;
            using (ExecutionContext.SuppressFlow()) // the timer is not of the connection that happens to ask first
                _heartbeat = new Timer(static server => ((Server)server!).Beat(), this, _heartbeatInterval, _heartbeatInterval);
        }
    }

    private void Beat()
    {
        if (Interlocked.Exchange(ref _beating, 1) != 0)
            return; // the last one is not over: a callback takes longer than the interval
        foreach (ServerConnection connection in _connections.ToArray())
            connection.Beat();
        Volatile.Write(ref _beating, 0);
    }
}
