using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections;

// A connection of a server from its accepting to its end, and the features that a server, and not a transport, gives a connection. Run once:
//
//   the handler runs; what it throws is logged and ends this connection only
//   the callbacks of IConnectionCompleteFeature run
//   the connection is disposed of, which sends what the handler has written: an exception does not abort it, as in Kestrel
//   it leaves the server's set
internal sealed class ServerConnection(Server server, ConnectionContext transport, ConnectionDelegate application)
    : IThreadPoolWorkItem, IConnectionCompleteFeature, IConnectionHeartbeatFeature, IConnectionLifetimeNotificationFeature
{
    private static readonly Func<object?, Task> s_run = static connection => ((ServerConnection)connection!).RunAsync();

    private readonly Lock _lock = new();
    private Stack<(Func<object, Task> Callback, object State)>? _onCompleted;
    private List<(Action<object> Callback, object State)>? _onHeartbeat;
    private CancellationTokenSource? _closeRequested;
    private CancellationToken? _closeRequestedReplaced;
    private bool _completed;

    // Not on the thread that accepts: its next connection would wait for this one's handler to wait for something.
    public void Start()
    {
        transport.Features.Set<IConnectionCompleteFeature>(this);
        transport.Features.Set<IConnectionHeartbeatFeature>(this);
        transport.Features.Set<IConnectionLifetimeNotificationFeature>(this);
        if (transport is NetpollConnection netpoll)
            netpoll.Scheduler.Spawn(s_run, this);
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    public void Abort(ConnectionAbortedException reason) => transport.Abort(reason);

    private async Task RunAsync()
    {
        try
        {
            await HandleAsync().ConfigureAwait(false);
            await CompleteAsync().ConfigureAwait(false);
            await transport.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ServerLog.DisposeFailed(server.Logger, transport.ConnectionId, e);
        }
        finally
        {
            server.Remove(this);
        }
    }

    private async Task HandleAsync()
    {
        try
        {
            // A scope costs each wait a little, so it is there only where somebody will read it.
            using IDisposable? scope =
                server.Logger.IsEnabled(LogLevel.Critical) ? ServerLog.ConnectionScope(server.Logger, transport.ConnectionId) : null;
            await application(transport).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException)
        {
            // The transport has logged it, and no handler is to blame.
        }
        catch (OperationCanceledException) when (_closeRequested is { IsCancellationRequested: true })
        {
            // That is how a handler ends that was asked to.
        }
        catch (Exception e)
        {
            ServerLog.HandlerFailed(server.Logger, transport.ConnectionId, e);
        }
    }

    // ---- IConnectionCompleteFeature: the last one registered is called first ----

    void IConnectionCompleteFeature.OnCompleted(Func<object, Task> callback, object state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        lock (_lock)
        {
            if (_completed)
                throw new InvalidOperationException("The connection has ended already.");
            (_onCompleted ??= []).Push((callback, state));
        }
    }

    private async Task CompleteAsync()
    {
        lock (_lock)
            _completed = true;
        while (_onCompleted is { Count: > 0 } callbacks)
        {
            (Func<object, Task> callback, object state) = callbacks.Pop();
            try
            {
                await callback(state).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                ServerLog.CallbackFailed(server.Logger, transport.ConnectionId, e);
            }
        }
    }

    // ---- IConnectionHeartbeatFeature ----

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state)
    {
        ArgumentNullException.ThrowIfNull(action);
        lock (_lock)
            (_onHeartbeat ??= []).Add((action, state));
        server.StartHeartbeat();
    }

    public void Beat()
    {
        (Action<object> Callback, object State)[] callbacks;
        lock (_lock)
        {
            if (_onHeartbeat is null || _completed)
                return;
            callbacks = [.. _onHeartbeat];
        }
        foreach ((Action<object> callback, object state) in callbacks)
        {
            try
            {
                callback(state);
            }
            catch (Exception e)
            {
                ServerLog.CallbackFailed(server.Logger, transport.ConnectionId, e);
            }
        }
    }

    // ---- IConnectionLifetimeNotificationFeature: most handlers never ask, so the source is made when one does ----

    CancellationToken IConnectionLifetimeNotificationFeature.ConnectionClosedRequested
    {
        get => _closeRequestedReplaced ?? CloseRequested.Token;
        set => _closeRequestedReplaced = value;
    }

    private CancellationTokenSource CloseRequested =>
        Volatile.Read(ref _closeRequested) ?? Interlocked.CompareExchange(ref _closeRequested, new CancellationTokenSource(), null) ?? _closeRequested!;

    /// <summary>Asks the handler to end. What has been registered for it runs on the thread pool: it may do anything.</summary>
    public void RequestClose() => _ = RequestCloseAsync();

    private async Task RequestCloseAsync()
    {
        try
        {
            await CloseRequested.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ServerLog.CallbackFailed(server.Logger, transport.ConnectionId, e);
        }
    }
}
