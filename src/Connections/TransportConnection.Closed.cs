namespace NetGo.Connections;

// ConnectionClosed fires once, on the thread pool: _hasClosed. Its source is made when somebody asks for the token; who asks only after it has
// fired gets a token that is cancelled, without a source.
internal abstract partial class TransportConnection
{
    private static readonly Action<TransportConnection> s_cancelClosed = static connection => connection.CancelClosed();
    private static readonly CancellationToken s_cancelled = new(canceled: true);

    private CancellationTokenSource? _closed;
    private CancellationToken? _closedReplaced;
    private bool _hasClosed;
    private TaskCompletionSource? _closedFired;

    public override CancellationToken ConnectionClosed
    {
        get => _closedReplaced ?? (Volatile.Read(ref _closed) ?? MakeClosed())?.Token ?? s_cancelled;
        set => _closedReplaced = value;
    }

    /// <summary>When the callbacks of <see cref="ConnectionClosed"/> have run, once it has fired. The source is not disposed of: there is nothing
    /// in it to release.</summary>
    private Task ClosedHasFired => Volatile.Read(ref _closedFired)?.Task ?? Task.CompletedTask;

    private CancellationTokenSource? MakeClosed()
    {
        lock (Input)
        {
            if (_closed is not null || _hasClosed)
                return _closed;
            _closed = new CancellationTokenSource();
        }
        WatchPeer();
        return _closed;
    }

    /// <summary>Somebody wants to know when the peer has gone, even when nobody reads.</summary>
    private protected abstract void WatchPeer();

    private protected void FireClosed()
    {
        lock (Input)
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
            ConnectionsLog.CallbackFailed(Logger, ConnectionId, e);
        }
        _closedFired!.TrySetResult();
    }
}
