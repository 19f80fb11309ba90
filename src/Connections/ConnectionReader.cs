using System.Buffers;
using System.IO.Pipelines;
using NetGo.Netpoll;

namespace NetGo.Connections;

// Reads the descriptor itself, when it is asked and not before: what is not asked for stays with the system, which slows the peer down.
//
// What has been read and not consumed is a chain of buffers, and _examined of its bytes have been seen to be too few. A
// read that finds more than that returns it at once; else it asks the system; else it waits. While it waits with nothing in the chain it has
// no buffer.
//
//   _given     None         no result is out
//              Tentative    one is, that was cancelled: it may be advanced or not
//              Out          one is: AdvanceTo is due, and no other read before it
//
// One thread at a time reads, advances and completes; CancelPendingRead comes from anywhere: it writes down what it wants and then ends the
// wait, if there is one. Who reads looks at what is written down before it waits, and PollDesc sees to what comes between.
//
// The connection's end may complete the reader while a read is under way. _completed is written and then, behind a fence, whether one is is read;
// that one has begun, or ended, is written and then _completed read. So one of them sees the other, or both do: _released says who gives
// the buffers back.
internal sealed class ConnectionReader : PipeReader, IConnectionOperation<ReadResult>
{
    private const int MinFree = 512; // in the last buffer, to be read into

    private readonly NetpollConnection _connection;
    private readonly ConnectionOperation<ReadResult> _read;

    private SegmentChain _chain; // what has been read and not consumed
    private long _examined;
    private bool _wantsMore;
    private Given _given;
    private bool _ended;
    private Exception? _error;
    private volatile bool _completed;
    private volatile bool _cancelWanted;
    private int _released;

    public ConnectionReader(NetpollConnection connection)
    {
        _connection = connection;
        _read = new ConnectionOperation<ReadResult>(connection, PollMode.Read, this);
    }

    private enum Given : byte
    {
        None,
        Tentative,
        Out,
    }

    private long Buffered => _chain is { Head: { } head, Tail: { } tail } ? tail.RunningIndex + tail.End - head.RunningIndex - head.Start : 0;

    // ---- PipeReader ----

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfNotToBeRead();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        if (TryTake(out ReadResult result))
            return new ValueTask<ReadResult>(result);
        if (_error is { } error)
            return ValueTask.FromException<ReadResult>(error);
        ValueTask<ReadResult> read = _read.RunAsync(cancellationToken, out bool begun);
        if (begun)
            return read;
        EndWithConnection();
        return _error is null ? new ValueTask<ReadResult>(Take()) : ValueTask.FromException<ReadResult>(_error);
    }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfNotToBeRead();
        if (TryTake(out result))
            return true;
        if (_error is { } error)
            throw error;
        bool read = _read.TryRun(out result, out Exception? failure, out bool begun);
        if (!begun)
        {
            EndWithConnection();
            result = _error is null ? Take() : throw _error;
            return true;
        }
        return failure is null ? read : throw failure;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_read) // the connection's end may give the buffers back meanwhile
            Advance(consumed, examined);
    }

    private void Advance(SequencePosition consumed, SequencePosition examined)
    {
        if (_completed)
            throw new InvalidOperationException("The reader has been completed.");
        if (_given == Given.None)
            throw new InvalidOperationException("There is no result to advance in: AdvanceTo comes once after each read.");
        if (consumed.GetObject() is null && examined.GetObject() is null)
        {
            _given = Given.None; // of an empty buffer
            return;
        }
        if (consumed.GetObject() is not BufferSegment consumedIn || examined.GetObject() is not BufferSegment examinedIn || _chain.Head is null)
            throw new ArgumentException("The positions are not of the buffer that was read.", nameof(consumed));
        long start = _chain.Head.RunningIndex + _chain.Head.Start;
        long consumedBytes = consumedIn.RunningIndex + consumed.GetInteger() - start;
        long examinedBytes = examinedIn.RunningIndex + examined.GetInteger() - start;
        if (consumedBytes < 0 || consumedBytes > examinedBytes || examinedBytes > Buffered)
            throw new ArgumentOutOfRangeException(nameof(consumed), "What is consumed must have been examined, and be in the buffer that was read.");
        _given = Given.None;
        _examined = examinedBytes - consumedBytes;
        Consume(consumedBytes);
    }

    public override void CancelPendingRead()
    {
        _cancelWanted = true;
        _read.Cancel();
    }

    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        Interlocked.MemoryBarrier();
        if (_read.TryEnd(new ReadResult(default, isCanceled: true, isCompleted: false)))
            ReleaseOnce();
        else
            CancelPendingRead();
    }

    private void ThrowIfNotToBeRead()
    {
        if (_completed)
            throw new InvalidOperationException("The reader has been completed: nothing can be read any more.");
        if (_read.IsUnderWay)
            throw new InvalidOperationException("Another read is under way.");
        if (_given == Given.Out)
            throw new InvalidOperationException("A result has been read, and AdvanceTo has not been called for it.");
    }

    // ---- The chain ----

    private ReadOnlySequence<byte> Sequence => _chain is { Head: { } head, Tail: { } tail } ? new ReadOnlySequence<byte>(head, head.Start, tail, tail.End) : default;

    // What there is without asking the system: a cancellation, bytes that have not been examined, the end.
    private bool TryTake(out ReadResult result)
    {
        if (_cancelWanted)
        {
            _cancelWanted = false;
            _read.ClearCancelled();
            _given = Given.Tentative;
            result = new ReadResult(Sequence, isCanceled: true, _ended);
            return true;
        }
        if (_error is null && (_ended || Buffered > _examined))
        {
            result = Take();
            return true;
        }
        result = default;
        return false;
    }

    private ReadResult Take()
    {
        _given = Given.Out;
        return new ReadResult(Sequence, isCanceled: false, _ended);
    }

    private void Consume(long count)
    {
        while (_chain.Head is { } head)
        {
            int length = head.Length;
            if (count < length)
            {
                head.Start += (int)count;
                return;
            }
            if (head == _chain.Tail)
            {
                head.Clear(); // whoever reads on reads into it; whoever waits gives it back
                return;
            }
            count -= length;
            _chain.DropHead();
        }
    }

    private void ReleaseOnce()
    {
        if (Interlocked.Exchange(ref _released, 1) != 0)
            return;
        lock (_read)
            _chain.Release();
    }

    private BufferSegment SegmentWithRoom() =>
        _chain.Tail is { } tail && (tail.FreeLength >= MinFree || tail.End == 0)
            ? tail
            : _chain.Append(_connection.Buffers, _wantsMore ? BufferPool.LargeSize : BufferPool.SmallSize);

    // ---- The system ----

    bool IConnectionOperation<ReadResult>.TryConclude(PollResult poll, CancellationToken cancellationToken, out ReadResult result, out Exception? failure)
    {
        failure = null;
        if (_completed)
        {
            result = new ReadResult(default, isCanceled: true, isCompleted: false);
            return true;
        }
        // An event beats a cancellation, which holds for the next read then.
        if (poll == PollResult.Ready && TryReceive(out result))
            return true;
        if (poll == PollResult.Closing)
        {
            EndWithConnection();
            if (_error is null)
            {
                result = Take();
                return true;
            }
        }
        if (_cancelWanted && _error is null)
            return TryTake(out result);
        result = default;
        failure = _error ?? (cancellationToken.IsCancellationRequested ? new OperationCanceledException(cancellationToken) : null);
        if (failure is not null)
            return true;
        if (Buffered == 0)
            _chain.Release();
        return false;
    }

    void IConnectionOperation<ReadResult>.OnEnded()
    {
        Interlocked.MemoryBarrier();
        if (_completed)
            ReleaseOnce();
    }

    // False when nothing has come, or it failed: then there is _error.
    private bool TryReceive(out ReadResult result)
    {
        result = default;
        BufferSegment tail = SegmentWithRoom();
        Span<byte> free = tail.Buffer.Span[tail.End..];
        int n = _connection.Socket.TryRead(free);
        if (n > 0)
        {
            tail.End += n;
            _wantsMore = n == free.Length; // there is more to come
        }
        else if (n == SystemSockets.WouldBlock)
        {
            return false;
        }
        else if (n < 0)
        {
            _error = _connection.ReadFailed(-n);
        }
        else if (_connection.IsClosed || _connection.PeerEnd < 0)
        {
            EndWithConnection();
        }
        else
        {
            _ended = true;
            _connection.PeerHasEnded();
        }
        if (_error is not null)
            return false;
        result = Take();
        return true;
    }

    // By what the peer had done before, if that was seen.
    private void EndWithConnection()
    {
        switch (_connection.PeerEnd)
        {
            case null:
                _error = _connection.ClosedError();
                break;
            case 0:
                _ended = true;
                break;
            case int error:
                _error = _connection.ReadFailed(-error);
                break;
        }
    }
}
