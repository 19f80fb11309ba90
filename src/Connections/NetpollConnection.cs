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
// before the last bytes have been read; then it is left to the reader, who comes to the end of them. And whoever waits for a read shall be told
// by that read that the peer has gone, and why, and not by a token. So while one is awaited the word is only written down, _peerHasGone, and
// looked at when it has ended; and what the reader finds fires when the code that it is told gives way. The word is written and then, behind a fence,
// whether a read is awaited is read; that it is not is written and then the word is read.
internal sealed class NetpollConnection : TransportConnection, IThreadPoolWorkItem, IDeferredWork
{
    private readonly ConnectionReader _input;
    private readonly ConnectionWriter _output;
    private Task _outputEnd = Task.CompletedTask;
    private Socket? _socketView;
    private volatile bool _peerHasGone;
    private int _firesClosed;

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
    private protected override Socket SocketFeature =>
        _socketView ??= new Socket(new SafeSocketHandle(Socket.Descriptor, ownsHandle: false));

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
        if (IsClosed)
            return ClosedError();
        IOException failure = Failed(NetSocket.ErrorOf(error, "read"));
        _output.Kill();
        FireClosedAfterReader();
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
        int peeked = SystemSockets.Peek(Socket.Descriptor);
        Socket.Release();
        if (peeked > 0 || peeked == SystemSockets.WouldBlock)
            return;
        _peerHasGone = true;
        Interlocked.MemoryBarrier();
        if (!_input.IsAwaited)
            FireClosed();
    }

    /// <summary>A read is over, and is seen to be, behind a fence; whoever awaits it has not gone on yet.</summary>
    internal void ReadHasEnded()
    {
        if (_peerHasGone)
            FireClosedAfterReader();
    }

    private protected override void FireClosedAfterReader()
    {
        if (Interlocked.Exchange(ref _firesClosed, 1) == 0 && !Machine.TryDefer(Scheduler, this))
            FireClosed();
    }

    IDeferredWork? IDeferredWork.NextDeferred { get; set; }

    void IDeferredWork.RunDeferred() => FireClosed();
}
