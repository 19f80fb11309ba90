using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Pipelines.Sockets.Unofficial;

namespace NetGo.Connections;

// A SocketConnection as a TransportConnection. It has a loop for each direction, between the socket and a pipe. What it does not do, and is done
// here:
//
//   writing to a peer that is gone   FallbackSender
//   errors and the end of reading    FallbackReader
//   whether a loop has ended         PipeEnds
//   breaking off                     its Dispose ends its loops while the system may still be reading into their buffers, which then go back to the
//                                    pool. So the socket is closed, which ends them when the system has let go
internal sealed class FallbackConnection : TransportConnection
{
    private const int ReadAhead = 64 * 1024;

    private static readonly PipeOptions s_receiveOptions = new(
        readerScheduler: PipeScheduler.ThreadPool,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: ReadAhead,
        resumeWriterThreshold: ReadAhead / 2,
        minimumSegmentSize: 16 * 1024,
        useSynchronizationContext: false);

    private readonly Socket _socket;
    private readonly SocketConnection _loops;
    private readonly FallbackReader _input;
    private readonly FallbackSender _sender;
    private readonly FallbackWriter _output;
    private readonly TaskCompletionSource _receivingEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IOException? _failure;

    /// <param name="socket">Connected. It is the connection's from now on.</param>
    /// <param name="maxWriteBufferSize">See <see cref="NetpollTransportOptions.MaxWriteBufferSize"/>.</param>
    /// <param name="logger">Where it is told how it ends.</param>
    public FallbackConnection(Socket socket, int? maxWriteBufferSize, ILogger logger)
        : base(logger)
    {
        _socket = socket;
        _ = LocalEndPoint; // they cannot be asked for any more after a close
        _ = RemoteEndPoint;
        // Without bytes to come, a connection has no buffer.
        _loops = SocketConnection.Create(socket, FallbackSender.SocketPipeOptions, s_receiveOptions, SocketConnectionOptions.ZeroLengthReads);
        _input = new FallbackReader(this, _loops.Input);
        _sender = new FallbackSender(this, _loops.Output, maxWriteBufferSize);
        _output = new FallbackWriter(this, _sender.Writer);
        OutputEnd = _sender.RunAsync();
        _loops.Input.WhenWriterCompletes(ReceivingHasEnded);
    }

    public override PipeReader Input => _input;

    public override PipeWriter Output => _output;

    // One of arrays: a SocketConnection takes no other memory.
    public override MemoryPool<byte> MemoryPool => MemoryPool<byte>.Shared;

    private protected override Socket SocketFeature => _socket;

    private protected override EndPoint? GetLocalEndPoint() => _socket.LocalEndPoint;

    private protected override EndPoint? GetRemoteEndPoint() => _socket.RemoteEndPoint;

    // Its loop receives even when nobody reads.
    private protected override void WatchPeer()
    {
    }

    // ---- Failures ----

    /// <summary>Why nothing can be read any more; null when something may. A failure, and the peer's end, come before a close: they may have been the
    /// reason for it.</summary>
    public Exception? ReadError(bool hasEnded) => Volatile.Read(ref _failure) ?? (Exception?)(IsClosed && !hasEnded ? ClosedError() : null);

    /// <summary>What a reader is told of an exception of the SocketConnection's.</summary>
    public Exception ReadFailed(Exception error)
    {
        if (!IsClosed)
            Fail(error);
        return ReadError(hasEnded: false)!;
    }

    private void Fail(Exception error)
    {
        var cause = error as SocketException ?? error.InnerException as SocketException ?? new SocketException((int)SocketError.ConnectionAborted);
        lock (_sender)
        {
            if (_failure is not null)
                return;
            Volatile.Write(ref _failure, Failed(new IOException($"The connection failed: {cause.Message}", cause)));
        }
        _sender.Stop();
        FireClosed();
    }

    // ---- The ends ----

    private void ReceivingHasEnded(Exception? error)
    {
        try
        {
            if (error is not null)
                _ = ReadFailed(error);
            else if (!IsClosed)
                _input.EndAt(_loops.BytesRead);
        }
        finally
        {
            _receivingEnded.SetResult();
        }
    }

    public void OutputHasFailed(Exception error) => AbortFor(error);

    /// <param name="isAll">All that was written has been handed to the loop that sends.</param>
    /// <param name="error">With which that loop has ended.</param>
    public void OutputHasEnded(bool isAll, Exception? error)
    {
        if (IsClosed)
            return;
        if (error is not null)
            Fail(error);
        else if (isAll)
            ConnectionsLog.WriteFin(Logger, ConnectionId);
    }

    private protected override Task OutputEnd { get; }

    private protected override void BreakOff(bool reset)
    {
        try
        {
            if (reset)
                _socket.LingerState = new LingerOption(true, 0);
            else
                _socket.Shutdown(SocketShutdown.Both); // a close of a socket on which calls are under way would reset it
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has been closed, or the peer has.
        }
        _socket.Dispose();
        _sender.Stop();
    }

    private protected override async ValueTask CloseAsync()
    {
        _socket.Dispose();
        _loops.Input.Complete(); // gives its buffers back, and ends a loop that waits for them to be read
        await _receivingEnded.Task.ConfigureAwait(false);
        _loops.Dispose();
    }
}
