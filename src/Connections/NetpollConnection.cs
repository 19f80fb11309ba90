using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections;

// A NetConnection as ASP.NET Core's ConnectionContext. How it ends:
//
//   the peer's end (FIN)     Input completes when all before it has been read; ConnectionClosed fires, at once when nothing is left to be read
//   a failure (RST)          Input throws ConnectionResetException, Output says IsCompleted, ConnectionClosed fires
//   Output completed         what is left is sent, then our end (FIN). The peer may go on: that is half-close
//   Output with an error     Abort
//   Abort                    RST (without a reason: FIN). Input throws ConnectionAbortedException, Output says IsCompleted, ConnectionClosed fires
//   DisposeAsync             completes both, waits for what is left to be sent, and closes
//
// ConnectionClosed is made when it is asked for: with it the poller's word that the peer has gone is heeded, even when nobody reads. That word
// may come long before the last bytes have been read; then it is left to the reader, who comes to the end of them.
internal sealed partial class NetpollConnection : ConnectionContext, IDuplexPipe, IThreadPoolWorkItem
{
    private static readonly Action<NetpollConnection> s_cancelClosed = static connection => connection.CancelClosed();
    private static readonly CancellationToken s_cancelled = new(canceled: true);
    private static long s_lastId = DateTime.UtcNow.Ticks;

    private readonly ConnectionReader _input;
    private readonly ConnectionWriter _output;
    private readonly ILogger _logger;
    private IDuplexPipe _transport;
    private string? _id;
    private ConnectionAbortedException? _closedError;
    private CancellationTokenSource? _closed;
    private CancellationToken? _closedReplaced;
    private bool _hasClosed;
    private TaskCompletionSource? _closedFired;
    private volatile bool _isClosed;
    private int _disposed;

    internal NetpollConnection(NetConnection socket, NetpollTransportOptions options, ILogger logger)
    {
        Socket = socket;
        Scheduler = socket.Scheduler;
        _logger = logger;
        _input = new ConnectionReader(this);
        _output = new ConnectionWriter(this, options.MaxDeferredBytes);
        _transport = this;
    }

    internal NetConnection Socket { get; }

    internal GoScheduler Scheduler { get; }

    internal BufferPool Buffers => Scheduler.Buffers;

    /// <summary>It has been aborted or disposed of.</summary>
    internal bool IsClosed => _isClosed;

    /// <summary>When all of the output has been sent that will be.</summary>
    internal Task OutputEnd { get; private set; } = Task.CompletedTask;

    // ---- ConnectionContext ----

    public PipeReader Input => _input;

    public PipeWriter Output => _output;

    public override IDuplexPipe Transport
    {
        get => _transport;
        set => _transport = value;
    }

    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref s_lastId).ToString("X16", System.Globalization.CultureInfo.InvariantCulture);
        set => _id = value;
    }

    public override IFeatureCollection Features => this;

    // A getter must not throw when the connection has gone meanwhile, as a log may ask.
    public override EndPoint? LocalEndPoint
    {
        get => field ??= EndPointOrNull(static socket => socket.LocalEndPoint);
        set;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => field ??= EndPointOrNull(static socket => socket.RemoteEndPoint);
        set;
    }

    private EndPoint? EndPointOrNull(Func<NetConnection, EndPoint> get)
    {
        try
        {
            return get(Socket);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return null;
        }
    }

    // ---- The end ----

    /// <param name="abortReason">Kestrel has none when the client has ended the connection in peace: then it is no reset that it gets.</param>
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        if (abortReason is not null)
            Interlocked.CompareExchange(ref _closedError, abortReason, null);
        if (abortReason is null)
            _output.SendDeferred();
        _isClosed = true;
        _output.Kill();
        if (abortReason is null)
            Socket.Close();
        else
            Socket.Abort();
        ConnectionsLog.Aborted(_logger, ConnectionId, abortReason?.Message ?? "the client has ended it");
        FireClosed();
    }

    /// <summary>For whoever cannot do it where he is: it writes a log.</summary>
    internal void AbortLater(string message, Exception e) =>
        ThreadPool.UnsafeQueueUserWorkItem(static abort => abort.Connection.Abort(abort.Reason),
            (Connection: this, Reason: new ConnectionAbortedException(message, e)), preferLocal: false);

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await EndAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        _output.Complete();
        _input.Complete();
        await OutputEnd.ConfigureAwait(false);
        _isClosed = true;
        Socket.Close();
        FireClosed();
        // The source is not disposed of: who asks for the token later gets one that is cancelled, and there is nothing in it to release.
        if (Volatile.Read(ref _closedFired) is { } fired)
            await fired.Task.ConfigureAwait(false);
    }

    /// <summary>What whoever uses it after its end is told.</summary>
    internal ConnectionAbortedException ClosedError() =>
        Volatile.Read(ref _closedError) ?? new ConnectionAbortedException("The connection has been closed.");

    internal void OutputHasEnded(Exception? error)
    {
        if (error is not null)
            Abort(error as ConnectionAbortedException ?? new ConnectionAbortedException("The output ended with an error.", error));
        OutputEnd = EndOutputAsync();
    }

    private async Task EndOutputAsync()
    {
        try
        {
            await _output.SendRestAsync().ConfigureAwait(false);
            if (_isClosed)
                return;
            Socket.CloseWrite();
            ConnectionsLog.WriteFin(_logger, ConnectionId);
        }
        catch (Exception e)
        {
            if (!_isClosed)
                Abort(new ConnectionAbortedException("What was left to be sent could not be.", e));
        }
    }

    internal void PeerHasEnded()
    {
        ConnectionsLog.ReadFin(_logger, ConnectionId);
        FireClosed();
    }

    internal Exception ReadFailed(int error)
    {
        if (_isClosed)
            return ClosedError();
        IOException failure = Failed(error, "read");
        _output.Kill();
        FireClosed();
        return failure;
    }

    internal void WriteFailed(int error)
    {
        if (_isClosed)
            return;
        _ = Failed(error, "write");
        FireClosed();
    }

    private IOException Failed(int error, string doing)
    {
        IOException failure = NetSocket.ErrorOf(error, doing);
        var inner = (SocketException)failure.InnerException!;
        if (inner.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown)
        {
            ConnectionsLog.Reset(_logger, ConnectionId);
            return new ConnectionResetException(inner.Message, inner);
        }
        ConnectionsLog.Failed(_logger, ConnectionId, failure);
        return failure;
    }

    // ---- ConnectionClosed ----
    //
    // Fires once, on the thread pool: _hasClosed. Whoever asks for the token only then gets one that is cancelled, without a source.

    public override CancellationToken ConnectionClosed
    {
        get => _closedReplaced ?? (Volatile.Read(ref _closed) ?? MakeClosed())?.Token ?? s_cancelled;
        set => _closedReplaced = value;
    }

    private CancellationTokenSource? MakeClosed()
    {
        lock (_input)
        {
            if (_closed is not null || _hasClosed)
                return _closed;
            _closed = new CancellationTokenSource();
        }
        if (Socket.TryAddReference())
        {
            try
            {
                Socket.WatchPeer(this);
            }
            finally
            {
                Socket.Release();
            }
        }
        return _closed;
    }

    private void FireClosed()
    {
        lock (_input)
        {
            if (_hasClosed)
                return;
            _hasClosed = true;
            if (_closed is null)
                return;
            Volatile.Write(ref _closedFired, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        ThreadPool.UnsafeQueueUserWorkItem(s_cancelClosed, this, preferLocal: false);
    }

    private void CancelClosed()
    {
        try
        {
            _closed!.Cancel();
        }
        catch (Exception e)
        {
            ConnectionsLog.CallbackFailed(_logger, ConnectionId, e);
        }
        _closedFired!.TrySetResult();
    }

    /// <summary>The poller has seen the peer close, or the connection fail.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        if (!Socket.TryAddReference())
            return;
        int peeked = SystemSockets.Peek(Socket.Descriptor);
        Socket.Release();
        if (peeked <= 0 && peeked != SystemSockets.WouldBlock)
            FireClosed();
    }
}
