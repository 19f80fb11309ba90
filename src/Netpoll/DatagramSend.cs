using System.Threading.Tasks.Sources;

namespace NetGo.Netpoll;

/// <summary>A SendToAsync, SendAsync or SendBatchAsync that had to wait.</summary>
internal sealed class DatagramSend(UdpSocket socket) : PendingOperation(socket, PollMode.Write), IValueTaskSource
{
    private readonly UdpSocket _socket = socket;

    private ReadOnlyMemory<byte> _datagram;
    private AddressPort _address;
    private DatagramBatch? _batch;

    /// <summary>Waits until one has been sent. The caller has begun the operation.</summary>
    public ValueTask StartAsync(ReadOnlyMemory<byte> datagram, AddressPort address, CancellationToken token) =>
        Start(datagram, address, null, token);

    /// <summary>Waits until the rest of a batch has been sent. The caller has begun the operation.</summary>
    public ValueTask StartBatchAsync(DatagramBatch batch, CancellationToken token) => Start(default, default, batch, token);

    private ValueTask Start(ReadOnlyMemory<byte> datagram, AddressPort address, DatagramBatch? batch, CancellationToken token)
    {
        Begin(token);
        _datagram = datagram;
        _address = address;
        _batch = batch;
        if (Wait())
            return new ValueTask(this, Version);
        return Failure is { } failure ? ValueTask.FromException(failure) : default;
    }

    protected override bool TryFinish()
    {
        int n = _batch is { } batch ? _socket.TrySendRest(batch) : _socket.TrySend(_datagram.Span, _address);
        if (n == SystemSockets.WouldBlock)
            return false;
        if (n < 0)
            Failure = UdpSocket.FailureOf(-n, "send");
        return true;
    }

    protected override void DropArguments()
    {
        _datagram = default;
        _batch = null;
    }

    void IValueTaskSource.GetResult(short token) => ThrowUnlessSucceeded(token);
}
