using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace NetGo.Connections;

/// <summary>A SocketConnection's input, with our errors, and an end that comes when all has been read.</summary>
internal sealed class FallbackReader(FallbackConnection connection, PipeReader from) : PipeReader
{
    private readonly Lock _lock = new();

    private ReadOnlySequence<byte> _given; // the last result's
    private long _consumed;
    private long _seen; // consumed, or given
    private long _total = long.MaxValue; // until the peer has ended
    private volatile bool _completed;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        if (connection.ReadError(HasEnded) is { } error)
            return ValueTask.FromException<ReadResult>(error);
        ValueTask<ReadResult> read = from.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Give(read.Result)) : GiveAsync(read);
    }

    private async ValueTask<ReadResult> GiveAsync(ValueTask<ReadResult> read)
    {
        try
        {
            return Give(await read.ConfigureAwait(false));
        }
        catch (Exception e) when (_completed && IsFailure(e))
        {
            return new ReadResult(default, isCanceled: true, isCompleted: false); // Complete has ended it, and the close came before it was taken
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw connection.ReadFailed(e);
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfCompleted();
        if (connection.ReadError(HasEnded) is { } error)
            throw error;
        try
        {
            if (!from.TryRead(out result))
                return false;
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw connection.ReadFailed(e);
        }
        _ = Give(result);
        return true;
    }

    // The peer has ended, and all has been given: that stays so when the connection is closed for it.
    private bool HasEnded
    {
        get
        {
            lock (_lock)
                return _seen == _total;
        }
    }

    // Not: misuse, and the caller's token.
    private static bool IsFailure(Exception e) =>
        e is IOException or SocketException or global::Pipelines.Sockets.Unofficial.ConnectionAbortedException;

    private ReadResult Give(ReadResult result)
    {
        _given = result.Buffer;
        bool atEnd;
        lock (_lock)
        {
            _seen = _consumed + result.Buffer.Length;
            atEnd = _seen == _total;
        }
        if (atEnd)
            connection.PeerHasEnded();
        return result;
    }

    /// <summary>There is no more to come than so many bytes.</summary>
    public void EndAt(long total)
    {
        bool atEnd;
        lock (_lock)
        {
            _total = total;
            atEnd = _seen == total;
        }
        if (atEnd)
            connection.PeerHasEnded();
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ThrowIfCompleted();
        long bytes;
        try
        {
            bytes = _given.IsEmpty ? 0 : _given.Slice(_given.Start, consumed).Length; // before: then the segments are others'
        }
        catch (ArgumentOutOfRangeException) when (_completed)
        {
            throw HasBeenCompleted(); // meanwhile, and the segments have been given back
        }
        from.AdvanceTo(consumed, examined);
        _given = default;
        _consumed += bytes;
    }

    public override void CancelPendingRead() => from.CancelPendingRead();

    /// <summary>What is there is given back when the connection is closed, and not yet: the SocketConnection would shut the socket's receiving side down,
    /// and what a client still sends would then be answered with a reset, before it has read the answer.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        from.CancelPendingRead();
    }

    private static InvalidOperationException HasBeenCompleted() => new("The reader has been completed: nothing can be read any more.");

    private void ThrowIfCompleted()
    {
        if (_completed)
            throw HasBeenCompleted();
    }
}
