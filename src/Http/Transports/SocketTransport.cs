using System.Net;
using Microsoft.Win32.SafeHandles;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>A connection without TLS: what is asked is asked of the descriptor.</summary>
internal sealed class SocketTransport(NetConnection connection) : HttpTransport
{
    public override GoScheduler Scheduler => connection.Scheduler;

    public override NetConnection? Connection => connection;

    public override EndPoint RemoteEndPoint => connection.RemoteEndPoint;

    public override EndPoint LocalEndPoint => connection.LocalEndPoint;

    public override bool TryAddReference() => connection.TryAddReference();

    public override void Release() => connection.Release();

    public override void Close() => connection.Close();

    public override void Abort() => connection.Abort();

    public override void CloseWrite() => connection.CloseWriteQuietly();

    public override Stream Detach(out byte[] received)
    {
        received = [];
        connection.Desc.SetDeadline(PollMode.Read, long.MaxValue);
        connection.Desc.SetDeadline(PollMode.Write, long.MaxValue);
        return connection.AsStream();
    }

    public override int TryRead(Span<byte> buffer) => connection.TryRead(buffer);

    public override int TryWrite(ReadOnlySpan<byte> buffer) => connection.TryWrite(buffer);

    public override bool TryGetDelivered(out long bytes) => connection.TryGetAcknowledged(out bytes);

    public override ValueTask<PollResult> WaitAsync(PollMode mode) => connection.WaitAsync(mode);

    public override ValueTask<PollResult> WaitCancellablyAsync(PollMode mode, CancellationToken cancellationToken) =>
        connection.WaitCancellablyAsync(mode, cancellationToken);

    public override void SetDeadline(PollMode mode, long when) => connection.Desc.SetDeadline(mode, when);

    public override IOException ErrorOf(int error, string doing) => NetSocket.ErrorOf(-error, doing);

    public override bool CanSendFile => true;

    public override int TrySendFile(SafeFileHandle file, long offset, int count) => connection.TrySendFile(file, offset, count);

    public override void WatchPeer(IThreadPoolWorkItem? watcher) => connection.WatchPeer(watcher);
}
