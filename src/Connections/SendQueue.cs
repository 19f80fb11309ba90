using NetGo.Netpoll;

namespace NetGo.Connections;

// What has been flushed and not been sent. What a server flushes in one go (a head, content, the last chunk) shall be one call of the system, and the
// server does not say when it has come to the end of it. But when it gives way is known, and so what is flushed on a goroutine is sent only then,
// unless it is much. On a thread of the pool (HTTP/2's frames are written there, and handlers go on there that have awaited something foreign) it is
// a work item, which comes after the one that runs. The flush has completed long since; the next one waits, if there is no room.
//
//   _turn       whose it is to send:
//     Nobody      there is nothing
//     Deferred    RunDeferred's, when the code that flushed gives way. A flush of more takes its turn; RunDeferred then finds nothing to do
//     Flush       that of a flush, which is under way: until EndFlush. What it leaves, for it was cancelled, is left to a drain
//     Drain       that of a goroutine made for it, when there was no room. A flush meanwhile adds what it has, and waits for the end of that
//   _isListed   it is in a machine's list of what is deferred or the pool's queue, or just being taken from it: it is not to be put into a second one
//
// All of it is guarded by _lock, which is held while the system is called: that does not wait. What has died (the peer or we have broken the connection
// off) is thrown away by whoever has the turn, or comes next.
internal sealed class SendQueue : IDeferredWork, IThreadPoolWorkItem, IConnectionOperation<bool>
{
    private const int MaxVectors = 16;

    private readonly Lock _lock = new();
    private readonly NetpollConnection _connection;
    private readonly int _maxDeferred;

    private SegmentChain _chain;
    private long _length;
    private SendTurn _turn;
    private bool _isListed;
    private volatile bool _isDead;
    private ConnectionOperation<bool>? _drain;
    private TaskCompletionSource? _drained;

    public SendQueue(NetpollConnection connection, int maxDeferred)
    {
        _connection = connection;
        _maxDeferred = maxDeferred;
    }

    IDeferredWork? IDeferredWork.NextDeferred { get; set; }

    /// <summary>Nothing can be sent any more.</summary>
    public bool IsDead => _isDead;

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _length == 0;
        }
    }

    /// <summary>The connection has been broken off. Any thread.</summary>
    public void Kill() => _isDead = true;

    /// <summary>Until the scope's end nobody sends, and what a send has found is written down.</summary>
    public Lock.Scope PauseSends() => _lock.EnterScope();

    /// <summary>For a flush, none of which is under way: adds what it has. It has the turn then, which it must end by <see cref="EndFlush"/>; or it has to wait
    /// for a drain; or it has nothing to do.</summary>
    /// <param name="written">Is empty afterwards.</param>
    /// <param name="direct">Of somebody else's memory, behind it: is left where it is, and the flush's to send, unless it has nothing to do.</param>
    /// <param name="mayDefer">It need not be sent at once.</param>
    /// <param name="drained">The end of the drain to wait for.</param>
    /// <exception cref="InsufficientMemoryException">There is no memory for a copy of <paramref name="direct"/>, which has not been added.</exception>
    public SendTurn Add(ref SegmentChain written, ref ReadOnlyMemory<byte> direct, bool mayDefer, out Task drained)
    {
        drained = Task.CompletedTask;
        lock (_lock)
        {
            if (_isDead && _turn != SendTurn.Drain)
            {
                direct = default;
                written.Release();
                Clear();
                return _turn = SendTurn.Nobody;
            }
            long length = written.Length;
            if (length == 0)
                written.Release(); // what was got and not written to
            else
                _chain.AppendAll(ref written);
            _length += length;
            if (_turn == SendTurn.Drain)
            {
                drained = _drained!.Task;
                Copy(ref direct);
                return SendTurn.Drain;
            }
            if (direct.IsEmpty && (_length == 0 || (mayDefer && TryDefer())))
                return _turn;
            return _turn = SendTurn.Flush;
        }
    }

    private bool TryDefer()
    {
        if (_length > _maxDeferred)
            return false;
        if (!_isListed && !Machine.TryDefer(_connection.Scheduler, this))
        {
            if (!Thread.CurrentThread.IsThreadPoolThread)
                return false;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        }
        _isListed = true;
        _turn = SendTurn.Deferred;
        return true;
    }

    /// <summary>Whoever has the turn: true when all of it has been sent, or cannot be.</summary>
    public bool TrySend(ref ReadOnlyMemory<byte> direct)
    {
        int result;
        lock (_lock)
            result = Send(ref direct);
        return HasEnded(result);
    }

    /// <summary>The flush that has the turn is over.</summary>
    /// <param name="direct">What it has not sent of it, to be sent nevertheless.</param>
    public void EndFlush(ref ReadOnlyMemory<byte> direct)
    {
        lock (_lock)
        {
            _turn = SendTurn.Nobody;
            if (_isDead)
            {
                direct = default;
                Clear();
                return;
            }
            try
            {
                Copy(ref direct);
            }
            catch (InsufficientMemoryException e)
            {
                // A part of it may have been sent: without the rest, what follows would be taken for it.
                _connection.AbortLater("There is no memory for the rest of what a cancelled flush was to send.", e);
            }
            if (_length > 0)
                StartDrain();
        }
    }

    /// <summary>A flush has the turn.</summary>
    public bool IsFlushing
    {
        get
        {
            lock (_lock)
                return _turn == SendTurn.Flush;
        }
    }

    /// <summary>Sends what waits for its goroutine to give way, as far as there is room. Any thread.</summary>
    public void SendDeferred() => SendDeferred(isFromList: false);

    private void SendDeferred(bool isFromList)
    {
        int result;
        lock (_lock)
        {
            if (isFromList)
                _isListed = false;
            if (_turn != SendTurn.Deferred)
                return;
            _turn = SendTurn.Nobody;
            result = SendWithReference();
            if (result == SystemSockets.WouldBlock)
                StartDrain();
        }
        if (result < 0 && result != SystemSockets.WouldBlock)
        {
            _isDead = true;
            // This may be sysmon's thread, which others need, and a log may wait.
            ThreadPool.UnsafeQueueUserWorkItem(static failed => failed.Connection.WriteFailed(-failed.Result), (Connection: _connection, Result: result), preferLocal: false);
        }
        if (_isDead)
        {
            lock (_lock)
            {
                if (_turn == SendTurn.Nobody)
                    Clear();
            }
        }
    }

    void IThreadPoolWorkItem.Execute() => RunDeferred();

    /// <summary>The code that flushed has given way, or does not for long.</summary>
    public void RunDeferred()
    {
        try
        {
            SendDeferred(isFromList: true);
        }
        catch (Exception e)
        {
            _connection.AbortLater("What had been flushed could not be sent.", e);
        }
    }

    // ---- The system; under the lock ----

    // Who is no operation of the connection sees to it that the descriptor is not closed meanwhile.
    private int SendWithReference()
    {
        if (!_connection.Socket.TryAddReference())
        {
            _isDead = true;
            return 0;
        }
        try
        {
            ReadOnlyMemory<byte> nothing = default;
            return Send(ref nothing);
        }
        finally
        {
            _connection.Socket.Release();
        }
    }

    // 0, or why not all has been sent: an error, negative.
    private int Send(ref ReadOnlyMemory<byte> direct)
    {
        while (!_isDead && (_length > 0 || !direct.IsEmpty))
        {
            bool isChain = _length > 0;
            int n = isChain ? SendChain() : _connection.Socket.TryWrite(direct.Span);
            if (n < 0)
            {
                if (n != SystemSockets.WouldBlock)
                    _connection.PeerHasFailed(n);
                return n;
            }
            if (isChain)
                Consume(n);
            else
                direct = direct[n..];
        }
        return 0;
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
        _length -= count;
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

    private void Copy(ref ReadOnlyMemory<byte> direct)
    {
        ReadOnlyMemory<byte> rest = direct;
        direct = default;
        if (rest.IsEmpty)
            return;
        BufferSegment segment = _chain.Append(_connection.Buffers, rest.Length);
        rest.Span.CopyTo(segment.Buffer.Span);
        segment.End = rest.Length;
        _length += rest.Length;
    }

    private void Clear()
    {
        _chain.Release();
        _length = 0;
    }

    // Not under the lock: it writes a log. True when there is nothing to wait for.
    private bool HasEnded(int result)
    {
        if (result == SystemSockets.WouldBlock)
            return false;
        if (result < 0)
        {
            _isDead = true;
            _connection.WriteFailed(-result);
        }
        return true;
    }

    // ---- The drain ----

    private void StartDrain()
    {
        _drain ??= new ConnectionOperation<bool>(_connection, PollMode.Write, this);
        _drained = new TaskCompletionSource();
        _turn = SendTurn.Drain;
        try
        {
            _connection.Scheduler.Spawn(DrainAsync);
        }
        catch (ObjectDisposedException) // the scheduler's
        {
            _isDead = true;
            _turn = SendTurn.Nobody;
            Clear();
        }
    }

    private async Task DrainAsync()
    {
        TaskCompletionSource drained = _drained!; // the next drain, which may begin before this one has said that it has ended, has another
        try
        {
            do
            {
                ValueTask<bool> sent = _drain!.RunAsync(CancellationToken.None, out bool begun);
                if (begun)
                    await sent;
                else
                    Kill();
            }
            while (!HasDrained());
        }
        catch (Exception e)
        {
            Kill();
            _ = HasDrained();
            _connection.AbortLater("What had been flushed could not be sent.", e);
        }
        SynchronizationContext.SetSynchronizationContext(null); // whoever waits goes on on this goroutine
        drained.SetResult();
    }

    private bool HasDrained()
    {
        lock (_lock)
        {
            if (_isDead)
                Clear();
            else if (_length > 0)
                return false; // has been added meanwhile
            _turn = SendTurn.Nobody;
            return true;
        }
    }

    bool IConnectionOperation<bool>.TryConclude(PollResult poll, CancellationToken cancellationToken, out bool result, out Exception? failure)
    {
        failure = null;
        if (poll == PollResult.Closing)
            Kill();
        else if (poll == PollResult.Cancelled)
            _connection.Socket.Desc.ClearCancelled(PollMode.Write); // was for the flush that waits behind
        ReadOnlyMemory<byte> nothing = default;
        return result = TrySend(ref nothing) || _isDead;
    }

    void IConnectionOperation<bool>.OnEnded()
    {
    }
}
