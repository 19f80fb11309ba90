using System.Net;
using System.Net.Sockets;
using NetGo.Http.Testing;
using NetGo.Netpoll;

namespace NetGo.Http;

// One end of a connection in memory. Waits, deadlines, close and the watch for the peer are those of a PollDesc, as with a socket, but
// its events come from the other end. No poller knows this PollDesc, so it may be left to the garbage collector.
internal sealed class InMemoryTransport : HttpTransport
{
    private readonly PollDesc _desc = new(0);
    private readonly InMemoryPipe _in;
    private readonly InMemoryPipe _out;
    private int _closed;

    /// <summary>Reads from one pipe and writes to another.</summary>
    public InMemoryTransport(GoScheduler scheduler, InMemoryPipe input, InMemoryPipe output, EndPoint local, EndPoint remote)
    {
        _desc.Open(scheduler);
        _in = input;
        _out = output;
        _in.Reader = _desc;
        _out.Writer = _desc;
        LocalEndPoint = local;
        RemoteEndPoint = remote;
    }

    /// <summary>The two ends of a connection.</summary>
    /// <param name="scheduler">Whose clock the deadlines are by.</param>
    /// <param name="capacity">How many bytes lie between them in each direction until a write has to wait.</param>
    /// <param name="server">The address of the one.</param>
    /// <param name="client">The address of the other.</param>
    public static (InMemoryTransport Server, InMemoryTransport Client) CreatePair(
        GoScheduler scheduler, int capacity, EndPoint server, EndPoint client)
    {
        var up = new InMemoryPipe(capacity);
        var down = new InMemoryPipe(capacity);
        return (new(scheduler, up, down, server, client), new(scheduler, down, up, client, server));
    }

    public override GoScheduler Scheduler => _desc.Scheduler;

    public override NetConnection? Connection => null;

    public override EndPoint RemoteEndPoint { get; }

    public override EndPoint LocalEndPoint { get; }

    // ---- Lifetime: there is nothing below that could be closed too early ----

    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    public override bool TryAddReference() => !IsClosed;

    public override void Release()
    {
    }

    public override void Close() => Close(abort: false);

    public override void Abort() => Close(abort: true);

    private void Close(bool abort)
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        _desc.Evict(); // first, so that whoever is parked sees the closing and not an end of the stream
        if (abort)
            _out.Break();
        _out.End();
        _in.Break();
        _desc.Retire();
    }

    public override void CloseWrite() => _out.End();

    public override Stream Detach(out byte[] received)
    {
        received = [];
        SetDeadline(PollMode.Read, long.MaxValue);
        SetDeadline(PollMode.Write, long.MaxValue);
        return new InMemoryStream(this);
    }

    // ---- Reading and writing ----

    public override int TryRead(Span<byte> buffer) => _in.TryRead(buffer);

    public override int TryWrite(ReadOnlySpan<byte> buffer) => _out.TryWrite(buffer);

    public override bool TryGetDelivered(out long bytes)
    {
        bytes = _out.Taken;
        return true;
    }

    public override ValueTask<PollResult> WaitAsync(PollMode mode) => _desc.WaitAsync(mode);

    public override async ValueTask<PollResult> WaitCancellablyAsync(PollMode mode, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
            return await WaitAsync(mode);
        PollResult result;
        using (_desc.CancelOn(mode, cancellationToken))
            result = await WaitAsync(mode);
        return _desc.EndCancellable(mode, result, cancellationToken);
    }

    public override void SetDeadline(PollMode mode, long when) => _desc.SetDeadline(mode, when);

    public override IOException ErrorOf(int error, string doing) =>
        new($"The connection failed: cannot {doing}, the other end has been closed.", new SocketException((int)SocketError.ConnectionReset));

    public override void WatchPeer(IThreadPoolWorkItem? watcher) => _desc.WatchPeer(watcher);
}
