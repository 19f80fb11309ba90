using System.Threading.Tasks.Sources;

namespace NetGo.Netpoll;

/// <summary>A ReceiveFromAsync, ReceiveAsync or ReceiveBatchAsync that had to wait.</summary>
internal sealed class DatagramReceive(UdpSocket socket)
    : PendingOperation(socket, PollMode.Read), IValueTaskSource<DatagramInfo>, IValueTaskSource<int>
{
    private readonly UdpSocket _socket = socket;

    private Memory<byte> _buffer;
    private DatagramBatch? _batch;
    private bool _mustFit;
    private DatagramInfo _received;
    private int _count;

    /// <summary>Waits for one. The caller has begun the operation.</summary>
    public ValueTask<DatagramInfo> StartFromAsync(Memory<byte> buffer, CancellationToken token)
    {
        if (Start(buffer, mustFit: false, null, token))
            return new ValueTask<DatagramInfo>(this, Version);
        return Failure is { } failure ? ValueTask.FromException<DatagramInfo>(failure) : new ValueTask<DatagramInfo>(_received);
    }

    /// <summary>Waits for one that has to fit, and gives its length. The caller has begun the operation.</summary>
    public ValueTask<int> StartAsync(Memory<byte> buffer, CancellationToken token) =>
        CountOf(Start(buffer, mustFit: true, null, token));

    /// <summary>Waits for one, takes all that are there, and gives their number. The caller has begun the operation.</summary>
    public ValueTask<int> StartBatchAsync(DatagramBatch batch, CancellationToken token) =>
        CountOf(Start(default, mustFit: false, batch, token));

    private ValueTask<int> CountOf(bool waits)
    {
        if (waits)
            return new ValueTask<int>(this, Version);
        return Failure is { } failure ? ValueTask.FromException<int>(failure) : new ValueTask<int>(_count);
    }

    private bool Start(Memory<byte> buffer, bool mustFit, DatagramBatch? batch, CancellationToken token)
    {
        Begin(token);
        _buffer = buffer;
        _mustFit = mustFit;
        _batch = batch;
        _received = default;
        return Wait();
    }

    protected override bool TryFinish()
    {
        _count = _batch is { } batch ? _socket.TryReceive(batch) : _socket.TryReceive(_buffer.Span, out _received);
        if (_count == SystemSockets.WouldBlock)
            return false;
        if (_count < 0)
            Failure = UdpSocket.FailureOf(-_count, "receive");
        else if (_mustFit && _received.IsTruncated)
            Failure = UdpSocket.Truncated();
        return true;
    }

    protected override void DropArguments()
    {
        _buffer = default;
        _batch = null;
    }

    DatagramInfo IValueTaskSource<DatagramInfo>.GetResult(short token)
    {
        ThrowUnlessSucceeded(token);
        return _received;
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        ThrowUnlessSucceeded(token);
        return _count;
    }
}
