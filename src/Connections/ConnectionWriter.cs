using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using NetGo.Netpoll;

namespace NetGo.Connections;

// What is written lies in a chain of buffers until a flush puts it into the queue, from where it is given to the system: by the flush itself, which
// waits for room as often as there is none; or, when it is little, as soon as the goroutine gives way (SendQueue). So whoever awaits his flushes
// is slowed down to what the peer takes. When all has been sent there are no buffers. Without a flush there is no limit, as in any PipeWriter.
//
//   _direct    of a WriteAsync: it is sent from where it lies, behind the queue, while that is under way
//   dead       what is written is thrown away, and flushes say IsCompleted: the peer or we have broken the connection off. As with a Pipe
//              whose reader has gone, no flush throws for that
//
// One thread at a time writes, flushes and completes, and nothing is written while a flush waits. CancelPendingFlush comes from anywhere. What a
// cancelled flush has not sent is sent nevertheless.
internal sealed class ConnectionWriter : PipeWriter, IConnectionOperation<FlushResult>
{
    private const int DirectLength = 4 * 1024; // from which on a copy is dearer

    private readonly NetpollConnection _connection;
    private readonly ConnectionOperation<FlushResult> _flush;
    private readonly SendQueue _queue;

    private SegmentChain _chain;
    private ReadOnlyMemory<byte> _direct;
    private long _unflushed;
    private volatile bool _completed;
    private volatile bool _cancelWanted;
    private TaskCompletionSource? _cancelWait;

    public ConnectionWriter(NetpollConnection connection, int maxDeferred)
    {
        _connection = connection;
        _flush = new ConnectionOperation<FlushResult>(connection, PollMode.Write, this);
        _queue = new SendQueue(connection, maxDeferred);
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
            this.Write(source.Span);
        else
            _direct = source;
        return SendAsync(cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        _cancelWanted = true;
        Interlocked.MemoryBarrier();
        _cancelWait?.TrySetResult();
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

    private BufferSegment SegmentWithRoom(int sizeHint)
    {
        ThrowIfNotToBeWritten();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_chain.Tail is { } tail && tail.FreeLength >= Math.Max(1, sizeHint))
            return tail;
        // The first is small, as most answers are. A second one says that there is much to come.
        return _chain.Append(_connection.Buffers, Math.Max(sizeHint, _chain.Tail is null ? BufferPool.SmallSize : BufferPool.LargeSize));
    }

    // ---- For the connection ----

    /// <summary>Sends what is left, when it has been completed.</summary>
    public async Task SendRestAsync()
    {
        while (!_flush.TryEnd(new FlushResult(isCanceled: true, isCompleted: false)) || _queue.IsFlushing)
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); // one that is awaited still, against the rules: its end is near, or Kill comes
        do
            await SendAsync(CancellationToken.None).ConfigureAwait(false);
        while (!_queue.IsEmpty);
    }

    /// <summary>Sends what has been flushed and waits for its goroutine to give way, as far as there is room. Any thread.</summary>
    public void SendDeferred() => _queue.SendDeferred();

    /// <summary>The connection has been broken off: nothing can be sent any more. Any thread.</summary>
    public void Kill() => _queue.Kill();

    /// <inheritdoc cref="SendQueue.PauseSends"/>
    public Lock.Scope PauseSends() => _queue.PauseSends();

    // ---- Flushes ----

    private ValueTask<FlushResult> SendAsync(CancellationToken cancellationToken)
    {
        _unflushed = 0;
        switch (_queue.Add(ref _chain, ref _direct, mayDefer: !_completed, out Task drained))
        {
            case SendTurn.Flush:
                ValueTask<FlushResult> flush = _flush.RunAsync(cancellationToken, out bool begun);
                if (begun)
                    return flush;
                Kill();
                _queue.EndFlush(ref _direct);
                break;
            case SendTurn.Drain:
                return AfterDrainAsync(drained, cancellationToken);
        }
        return new ValueTask<FlushResult>(Result());
    }

    private async ValueTask<FlushResult> AfterDrainAsync(Task drained, CancellationToken cancellationToken)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _cancelWait, cancelled);
        Interlocked.MemoryBarrier();
        if (!_cancelWanted)
            await Task.WhenAny(drained, cancelled.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
        return Result();
    }

    private FlushResult Result()
    {
        bool canceled = _cancelWanted;
        if (canceled)
        {
            _cancelWanted = false;
            _flush.ClearCancelled();
        }
        return new FlushResult(canceled, _queue.IsDead);
    }

    bool IConnectionOperation<FlushResult>.TryConclude(PollResult poll, CancellationToken cancellationToken, out FlushResult result, out Exception? failure)
    {
        failure = null;
        if (poll == PollResult.Closing)
            Kill();
        bool sent = (poll != PollResult.Cancelled && _queue.TrySend(ref _direct)) || _queue.IsDead;
        if (!sent && !_cancelWanted && !cancellationToken.IsCancellationRequested)
        {
            result = default;
            return false;
        }
        bool isForToken = !sent && !_cancelWanted;
        result = isForToken ? default : Result();
        if (isForToken)
            failure = new OperationCanceledException(cancellationToken);
        return true;
    }

    void IConnectionOperation<FlushResult>.OnEnded() => _queue.EndFlush(ref _direct);
}
