using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections;

// A NetConnection as a TransportConnection.
//
// When somebody asks for ConnectionClosed, the poller's word that the peer has gone is heeded, even when nobody reads. That word may come long
// before the last bytes have been read; then it is left to the reader, who comes to the end of them. Else it is written down: whoever hears of it by
// ConnectionClosed may close the connection before the reader has come to look, who shall be told of the peer's end nevertheless.
internal sealed class NetpollConnection : TransportConnection, IThreadPoolWorkItem
{
    private readonly ConnectionReader _input;
    private readonly ConnectionWriter _output;
    private Task _outputEnd = Task.CompletedTask;
    private Socket? _socketView;
    private readonly Lock _peerLock = new();
    private int? _peerEnd; // what a read would have found: 0, or an error, negative

    internal NetpollConnection(NetConnection socket, NetpollTransportOptions options, ILogger logger)
        : base(logger)
    {
        Socket = socket;
        Scheduler = socket.Scheduler;
        _input = new ConnectionReader(this);
        _output = new ConnectionWriter(this, options.MaxDeferredBytes);
    }

    internal NetConnection Socket { get; }

    internal GoScheduler Scheduler { get; }

    internal BufferPool Buffers => Scheduler.Buffers;

    public override PipeReader Input => _input;

    public override PipeWriter Output => _output;

    public override MemoryPool<byte> MemoryPool => Buffers.MemoryPool;

    // The descriptor stays the connection's: disposing of this closes nothing.
    private protected override Socket SocketFeature => _socketView ??= MakeSocketView();

    private Socket MakeSocketView()
    {
        ObjectDisposedException.ThrowIf(!Socket.TryAddReference(), this);
        try
        {
            return new Socket(new SafeSocketHandle(Socket.Descriptor, ownsHandle: false));
        }
        finally
        {
            Socket.Release();
        }
    }

    private protected override EndPoint? GetLocalEndPoint() => Socket.LocalEndPoint;

    private protected override EndPoint? GetRemoteEndPoint() => Socket.RemoteEndPoint;

    // ---- The end ----

    private protected override Task OutputEnd => _outputEnd;

    private protected override void BreakOff(bool reset)
    {
        if (!reset)
            _output.SendDeferred();
        _output.Kill();
        if (reset)
            Socket.Abort();
        else
            Socket.Close();
    }

    /// <summary>For whoever cannot do it where he is: it writes a log.</summary>
    internal void AbortLater(string message, Exception e) =>
        ThreadPool.UnsafeQueueUserWorkItem(static abort => abort.Connection.Abort(abort.Reason),
            (Connection: this, Reason: new ConnectionAbortedException(message, e)), preferLocal: false);

    private protected override ValueTask CloseAsync()
    {
        Socket.Close();
        return default;
    }

    internal void OutputHasEnded(Exception? error)
    {
        if (error is not null)
            AbortFor(error);
        _outputEnd = EndOutputAsync();
    }

    private async Task EndOutputAsync()
    {
        try
        {
            await _output.SendRestAsync().ConfigureAwait(false);
            if (IsClosed)
                return;
            Socket.CloseWrite();
            ConnectionsLog.WriteFin(Logger, ConnectionId);
        }
        catch (Exception e)
        {
            if (!IsClosed)
                Abort(new ConnectionAbortedException("What was left to be sent could not be.", e));
        }
    }

    internal Exception ReadFailed(int error)
    {
        if (IsClosed && PeerEnd is null)
            return ClosedError();
        IOException failure = Failed(NetSocket.ErrorOf(error, "read"));
        _output.Kill();
        FireClosed();
        return failure;
    }

    internal void WriteFailed(int error)
    {
        if (IsClosed)
            return;
        _ = Failed(NetSocket.ErrorOf(error, "write"));
        FireClosed();
    }

    // ---- The peer's end ----

    private protected override void WatchPeer()
    {
        if (!Socket.TryAddReference())
            return;
        try
        {
            Socket.WatchPeer(this);
        }
        finally
        {
            Socket.Release();
        }
    }

    /// <summary>The poller has seen the peer close, or the connection fail.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        if (!Socket.TryAddReference())
            return;
        lock (_peerLock)
        {
            // Whoever looks first takes the error away: a read finds the mere end after that.
            int peeked = SystemSockets.Peek(Socket.Descriptor);
            if (peeked <= 0 && peeked != SystemSockets.WouldBlock)
                NotePeerEnd(peeked);
        }
        Socket.Release();
        if (PeerEnd is not null)
            FireClosed();
    }

    /// <summary>A send has found an error, which it has taken away: a read finds the mere end after that.</summary>
    /// <param name="error">Negative.</param>
    internal void PeerHasFailed(int error)
    {
        if (NetSocket.ErrorOf(-error, "write").InnerException is SocketException { SocketErrorCode: SocketError.Shutdown })
            return; // for our own end, or an error that was taken away before
        lock (_peerLock)
            NotePeerEnd(error);
    }

    // Under _peerLock. An error stays: whoever looks after it finds the mere end.
    private void NotePeerEnd(int found)
    {
        if (_peerEnd is null or 0)
            _peerEnd = found;
    }

    /// <summary>What others than the reader have found the peer to have done, if they have: 0 for the end of the stream, or an error, negative. Waits for
    /// whoever has just taken the error away from the system, and not written it down yet.</summary>
    internal int? PeerEnd
    {
        get
        {
            using (_output.PauseSends())
            {
                lock (_peerLock)
                    return _peerEnd;
            }
        }
    }
}
