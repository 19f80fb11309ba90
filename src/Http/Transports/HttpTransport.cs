using System.Net;
using Microsoft.Win32.SafeHandles;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>What an HTTP/1.1 connection needs of what it runs over. One goroutine reads and writes, and holds a reference; any thread may
/// close.</summary>
internal abstract class HttpTransport
{
    public abstract GoScheduler Scheduler { get; }

    /// <summary>The connection at the bottom of it; null when it is in memory.</summary>
    public abstract NetConnection? Connection { get; }

    /// <summary>What TLS has agreed on; null without it.</summary>
    public virtual TlsConnectionState? Tls => null;

    public abstract EndPoint RemoteEndPoint { get; }

    public abstract EndPoint LocalEndPoint { get; }

    // ---- Lifetime ----

    /// <summary>Keeps what is below from being closed until <see cref="Release"/>. False after <see cref="Close"/>.</summary>
    public abstract bool TryAddReference();

    public abstract void Release();

    public abstract void Close();

    /// <summary>Closes it so that the peer sees a failure and not an end.</summary>
    public abstract void Abort();

    /// <summary>Ends the stream to the peer, which can still send.</summary>
    public abstract void CloseWrite();

    /// <summary>Gives it up to somebody who reads and writes a stream from now on, and disposes of that.</summary>
    /// <param name="received">What has been received and read by nobody: it comes before what the stream reads.</param>
    public abstract Stream Detach(out byte[] received);

    /// <summary>Closes it, by the goroutine that reads and writes, which will not do that any more.</summary>
    public virtual void Dispose() => Close();

    // ---- Reading and writing ----

    /// <summary>Reads what is there: the number of bytes, 0 at the end of the stream, <see cref="SystemSockets.WouldBlock"/> when
    /// <see cref="WaitAsync"/> is due, or another negative number, which <see cref="ErrorOf"/> knows.</summary>
    public abstract int TryRead(Span<byte> buffer);

    /// <summary>Writes what fits: the number of bytes, or as <see cref="TryRead"/>. After <see cref="SystemSockets.WouldBlock"/> the next call must
    /// begin with the same bytes.</summary>
    public abstract int TryWrite(ReadOnlySpan<byte> buffer);

    public abstract ValueTask<PollResult> WaitAsync(PollMode mode);

    /// <summary>As <see cref="WaitAsync"/>; <see cref="PollResult.Cancelled"/> when the token says so.</summary>
    public abstract ValueTask<PollResult> WaitCancellablyAsync(PollMode mode, CancellationToken cancellationToken);

    /// <summary>When waits end with <see cref="PollResult.Timeout"/>.</summary>
    /// <param name="mode">The direction.</param>
    /// <param name="when">Nanoseconds of the scheduler's clock; <see cref="long.MaxValue"/> for never.</param>
    public abstract void SetDeadline(PollMode mode, long when);

    /// <summary>The exception for a negative number.</summary>
    public abstract IOException ErrorOf(int error, string doing);

    /// <summary>How many bytes have reached the peer: of two answers it tells only whether, and how much, the peer has read between
    /// them. False when that is not known.</summary>
    public abstract bool TryGetDelivered(out long bytes);

    /// <summary>Whether <see cref="TrySendFile"/> may be called: a file can go past the process.</summary>
    public virtual bool CanSendFile => false;

    /// <summary>Sends of a part of a file what fits: as <see cref="TryWrite"/>, 0 at the end of the file, or
    /// <see cref="SystemSockets.NotPossible"/> when it has to be read and written.</summary>
    public virtual int TrySendFile(SafeFileHandle file, long offset, int count) => SystemSockets.NotPossible;

    // ---- The peer ----

    /// <summary>Has a work item queued when the peer has ended its stream or the connection has failed, at once if that is so already.
    /// One at a time; null for none any more.</summary>
    public abstract void WatchPeer(IThreadPoolWorkItem? watcher);
}
