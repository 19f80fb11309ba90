using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using NetGo.Netpoll;

namespace NetGo.Connections;

// What is written lies in a chain of buffers until a flush gives it to the system: all of it, waiting for room as often as there is none.
// So whoever awaits his flushes is slowed down to what the peer takes, and no more waits here than one flush has. When a flush has come to
// its end there are no buffers. Without one there is no limit, as in any PipeWriter.
//
//   _direct    of a WriteAsync: it is sent from where it lies, behind the chain, while that is under way. What is left of it when the flush
//              ends otherwise is copied into the chain, for it counts as written
//   _dead      what is written is thrown away, and flushes say IsCompleted: the peer or we have broken the connection off. As with a Pipe
//              whose reader has gone, no flush throws for that
//
// One thread at a time writes, flushes and completes, and nothing is written while a flush waits. CancelPendingFlush comes from anywhere.
internal sealed class ConnectionWriter : PipeWriter, IConnectionOperation<FlushResult>
{
    private const int MaxVectors = 16;
    private const int DirectLength = 4 * 1024; // from which on a copy is dearer

    private readonly NetpollConnection _connection;
    private readonly ConnectionOperation<FlushResult> _flush;

    private SegmentChain _chain;
    private ReadOnlyMemory<byte> _direct;
    private long _unflushed;
    private bool _completed;
    private volatile bool _dead;
    private volatile bool _cancelWanted;

    public ConnectionWriter(NetpollConnection connection)
    {
        _connection = connection;
        _flush = new ConnectionOperation<FlushResult>(connection, PollMode.Write, this);
    }

    // ---- PipeWriter ----

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public override Memory<byte> GetMemory(int sizeHint = 0) => SegmentWithRoom(sizeHint).Free;

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        BufferSegment segment = SegmentWithRoom(sizeHint);
        return segment.Buffer.Span[segment.End..];
    }

    public override void Advance(int bytes)
    {
        ThrowIfNotToBeWritten();
        int free = _chain.Tail?.FreeLength ?? 0;
        if ((uint)bytes > (uint)free)
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, "More than was got by GetMemory or GetSpan.");
        if (bytes == 0)
            return;
        _chain.Tail!.End += bytes;
        _unflushed += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfNotToBeWritten();
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<FlushResult>(cancellationToken) : SendAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        ThrowIfNotToBeWritten();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        if (source.Length < DirectLength)
        {
            this.Write(source.Span);
        }
        else
        {
            _direct = source;
            _unflushed += source.Length;
        }
        return SendAsync(cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        _cancelWanted = true;
        _flush.Cancel();
    }

    /// <summary>What has not been flushed is sent nevertheless, in the background, for which the connection's DisposeAsync waits; then the peer is
    /// told that there is no more (FIN). With an error it is thrown away, and the connection broken off (RST).</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        _connection.OutputHasEnded(exception);
    }

    private void ThrowIfNotToBeWritten()
    {
        if (_completed)
            throw new InvalidOperationException("The writer has been completed: nothing can be written any more.");
        if (!_flush.Abandon())
            throw new InvalidOperationException("A flush is under way: nothing can be written before it has ended.");
    }

    // ---- For the connection, when it has been completed ----

    /// <summary>Sends what is left.</summary>
    public async Task SendRestAsync()
    {
        while (!_flush.Abandon())
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); // one that is awaited still, against the rules: its end is near, or Kill comes
        while (!_dead && _unflushed > 0)
            await SendAsync(CancellationToken.None).ConfigureAwait(false);
        ReleaseAll();
    }

    /// <summary>The connection has been broken off: nothing can be sent any more. Any thread.</summary>
    public void Kill() => _dead = true;

    // ---- The chain ----

    private BufferSegment SegmentWithRoom(int sizeHint)
    {
        ThrowIfNotToBeWritten();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_chain.Tail is { } tail && tail.FreeLength >= Math.Max(1, sizeHint))
            return tail;
        // The first is small, as most answers are. A second one says that there is much to come.
        return _chain.Append(_connection.Buffers, Math.Max(sizeHint, _chain.Tail is null ? BufferPool.SmallSize : BufferPool.LargeSize));
    }

    private void ReleaseAll()
    {
        _chain.Release();
        _unflushed = 0;
    }

    // ---- The system ----

    private ValueTask<FlushResult> SendAsync(CancellationToken cancellationToken)
    {
        if (_unflushed > 0 && !_dead)
        {
            ValueTask<FlushResult> flush = _flush.RunAsync(cancellationToken, out bool begun);
            if (begun)
                return flush;
            Kill();
        }
        if (_dead)
            Clear();
        return new ValueTask<FlushResult>(Result());
    }

    private void Clear()
    {
        _direct = default;
        ReleaseAll();
    }

    private FlushResult Result()
    {
        bool canceled = _cancelWanted;
        if (canceled)
        {
            _cancelWanted = false;
            _flush.ClearCancelled();
        }
        return new FlushResult(canceled, _dead);
    }

    bool IConnectionOperation<FlushResult>.TryConclude(PollResult poll, CancellationToken cancellationToken, out FlushResult result, out Exception? failure)
    {
        failure = null;
        if (poll == PollResult.Closing)
            Kill();
        bool sent = poll != PollResult.Cancelled && TrySend() || _dead;
        if (!sent && !_cancelWanted && !cancellationToken.IsCancellationRequested)
        {
            result = default;
            return false;
        }
        if (!sent)
            KeepDirect();
        bool isForToken = !sent && !_cancelWanted;
        result = isForToken ? default : Result();
        if (isForToken)
            failure = new OperationCanceledException(cancellationToken);
        return true;
    }

    // The caller gets his memory back.
    private void KeepDirect()
    {
        ReadOnlyMemory<byte> rest = _direct;
        _direct = default;
        if (rest.IsEmpty)
            return;
        BufferSegment segment;
        try
        {
            segment = _chain.Append(_connection.Buffers, rest.Length);
        }
        catch (InsufficientMemoryException)
        {
            // A part of it may have been sent: without the rest, what follows would be taken for it.
            _connection.Abort(new ConnectionAbortedException("There is no memory for the rest of what a cancelled flush was to send."));
            throw;
        }
        rest.Span.CopyTo(segment.Buffer.Span);
        segment.End = rest.Length;
    }

    void IConnectionOperation<FlushResult>.OnEnded()
    {
        if (_dead)
            Clear();
    }

    // True when nothing is left to be sent: it has been, or cannot be.
    private bool TrySend()
    {
        while (_unflushed > 0 && !_dead)
        {
            bool isChain = _chain.Head is not null;
            int n = isChain ? SendChain() : _connection.Socket.TryWrite(_direct.Span);
            if (n == SystemSockets.WouldBlock)
                return false;
            if (n < 0)
            {
                _connection.WriteFailed(-n);
                Kill();
                return true;
            }
            _unflushed -= n;
            if (isChain)
                Consume(n);
            else
                _direct = _direct[n..];
        }
        return true;
    }

    private unsafe int SendChain()
    {
        BufferSegment head = _chain.Head!;
        if (head == _chain.Tail)
            return _connection.Socket.TryWrite(head.Buffer.Span[head.Start..head.End]);
        IOVector* vectors = stackalloc IOVector[MaxVectors];
        int count = 0;
        for (BufferSegment? segment = head; segment is not null && count < MaxVectors; segment = segment.NextSegment)
        {
            if (segment.Length > 0)
                vectors[count++] = new IOVector { Base = segment.Buffer.Start + segment.Start, Length = (nuint)segment.Length };
        }
        return _connection.Socket.TryWriteVectors(vectors, count);
    }

    private void Consume(int count)
    {
        while (_chain.Head is { } head)
        {
            if (count < head.Length)
            {
                head.Start += count;
                return;
            }
            count -= head.Length;
            _chain.DropHead();
        }
    }
}
