using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections;

// A connection as ASP.NET Core's ConnectionContext, whatever carries it. How it ends:
//
//   the peer's end (FIN)     Input completes when all before it has been read; ConnectionClosed fires, at once when nothing is left to be read
//   a failure (RST)          Input throws ConnectionResetException, Output says IsCompleted, ConnectionClosed fires
//   Output completed         what is left is sent, then our end (FIN). The peer may go on: that is half-close
//   Output with an error     Abort
//   Abort                    RST (without a reason: FIN). Input throws ConnectionAbortedException, Output says IsCompleted, ConnectionClosed fires
//   DisposeAsync             completes both, waits for what is left to be sent, and closes
internal abstract partial class TransportConnection(ILogger logger) : ConnectionContext, IDuplexPipe
{
    private static long s_lastId = DateTime.UtcNow.Ticks;

    private IDuplexPipe? _transport;
    private string? _id;
    private ConnectionAbortedException? _closedError;
    private volatile bool _isClosed;
    private int _disposed;

    private protected ILogger Logger { get; } = logger;

    /// <summary>It has been aborted or disposed of.</summary>
    internal bool IsClosed => _isClosed;

    // ---- ConnectionContext ----

    public abstract PipeReader Input { get; }

    public abstract PipeWriter Output { get; }

    public override IDuplexPipe Transport
    {
        get => _transport ?? this;
        set => _transport = value;
    }

    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref s_lastId).ToString("X16", System.Globalization.CultureInfo.InvariantCulture);
        set => _id = value;
    }

    public override IFeatureCollection Features => this;

    public override EndPoint? LocalEndPoint
    {
        get => field ??= EndPointOrNull(static connection => connection.GetLocalEndPoint());
        set;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => field ??= EndPointOrNull(static connection => connection.GetRemoteEndPoint());
        set;
    }

    // A getter must not throw when the connection has gone meanwhile, as a log may ask.
    private EndPoint? EndPointOrNull(Func<TransportConnection, EndPoint?> get)
    {
        try
        {
            return get(this);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return null;
        }
    }

    private protected abstract EndPoint? GetLocalEndPoint();

    private protected abstract EndPoint? GetRemoteEndPoint();

    // ---- The end ----

    /// <param name="abortReason">Kestrel has none when the client has ended the connection in peace: then it is no reset that it gets.</param>
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        if (abortReason is not null)
            Interlocked.CompareExchange(ref _closedError, abortReason, null);
        _isClosed = true;
        BreakOff(reset: abortReason is not null);
        FireClosed();
        ConnectionsLog.Aborted(Logger, ConnectionId, abortReason?.Message ?? "the client has ended it");
    }

    /// <summary>Throws away what has not been sent, and closes.</summary>
    private protected abstract void BreakOff(bool reset);

    /// <summary>What an output that ends with an error does.</summary>
    private protected void AbortFor(Exception error) =>
        Abort(error as ConnectionAbortedException ?? new ConnectionAbortedException("The output ended with an error.", error));

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await EndAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        Output.Complete();
        Input.Complete();
        await OutputEnd.ConfigureAwait(false);
        _isClosed = true;
        await CloseAsync().ConfigureAwait(false);
        FireClosed();
        await ClosedHasFired.ConfigureAwait(false);
    }

    /// <summary>When all of the output has been sent that will be, once it has been completed. Does not fail.</summary>
    private protected abstract Task OutputEnd { get; }

    /// <summary>Closes, when both ends have been completed and the output has been sent.</summary>
    private protected abstract ValueTask CloseAsync();

    /// <summary>What whoever uses it after its end is told.</summary>
    internal ConnectionAbortedException ClosedError() =>
        Volatile.Read(ref _closedError) ?? new ConnectionAbortedException("The connection has been closed.");

    internal void PeerHasEnded()
    {
        FireClosed();
        ConnectionsLog.ReadFin(Logger, ConnectionId);
    }

    /// <summary>Logs a failure, and makes of it what whoever reads is told.</summary>
    private protected IOException Failed(IOException failure)
    {
        var inner = (SocketException)failure.InnerException!;
        if (inner.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown)
        {
            ConnectionsLog.Reset(Logger, ConnectionId);
            return new ConnectionResetException(inner.Message, inner);
        }
        ConnectionsLog.Failed(Logger, ConnectionId, failure);
        return failure;
    }
}
