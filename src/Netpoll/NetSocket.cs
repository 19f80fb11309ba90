using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace NetGo.Netpoll;

// A descriptor is closed when nobody can be using it: _references counts the operations under way, and the socket itself is one
// of them until Close. Close sets ClosedBit, wakes whoever is parked, and gives its own up; who gives the last one up closes
// the descriptor (Go's fdMutex). The number can be used again by the system only after that. ReadingBit and WritingBit are set while
// an operation in that direction is under way, which counts as one: a second one is refused before it has touched anything.

/// <summary>What all sockets over the poller have in common; Go's netFD. One goroutine may read while another writes; any may
/// close.</summary>
public abstract class NetSocket : IDisposable
{
    private const int ClosedBit = 1 << 30;
    private const int ReadingBit = 1 << 29;
    private const int WritingBit = 1 << 28;

    private readonly INetPoller _poller;
    private readonly PollDesc _desc;
    private readonly nint _descriptor;
    private volatile bool _registered;
    private volatile bool _lingers;
    private bool _drained;
    private bool _full;
    private int _references = 1;
    private EndPoint? _localEndPoint;

    internal NetSocket(GoScheduler scheduler, INetPoller poller, nint descriptor)
    {
        _poller = poller;
        _descriptor = descriptor;
        _desc = PollDescTable.Rent(scheduler);
    }

    internal nint Descriptor => _descriptor;

    internal PollDesc Desc => _desc;

    internal INetPoller Poller => _poller;

    internal GoScheduler Scheduler => _desc.Scheduler;

    /// <summary>What it is called in messages.</summary>
    internal virtual string Noun => "connection";

    /// <summary>Closing the descriptor may block until what has been written is sent.</summary>
    internal bool Lingers
    {
        get => _lingers;
        set => _lingers = value;
    }

    /// <summary>Other processes have the descriptor too, or may. It is theirs as well: what would end it for all (shutdown(2)) is
    /// not done to it.</summary>
    private protected virtual bool IsShared => false;

    /// <summary>The address of this end.</summary>
    /// <exception cref="ObjectDisposedException">Asked for the first time after <see cref="Close"/>.</exception>
    public EndPoint LocalEndPoint => _localEndPoint ??= GetLocalEndPoint();

    private EndPoint GetLocalEndPoint()
    {
        AddReference();
        try
        {
            return SocketAddresses.LocalOf(_descriptor);
        }
        finally
        {
            Release();
        }
    }

    // ---- Lifetime ----

    /// <summary>Keeps the descriptor from being closed until <see cref="Release"/>. False after <see cref="Close"/>.</summary>
    internal bool TryAddReference()
    {
        int old = Volatile.Read(ref _references);
        while ((old & ClosedBit) == 0)
        {
            int seen = Interlocked.CompareExchange(ref _references, old + 1, old);
            if (seen == old)
                return true;
            old = seen;
        }
        return false; // not even for a moment: who gives the last one up after Close closes the descriptor
    }

    internal void AddReference()
    {
        if (!TryAddReference())
            ThrowClosed();
    }

    private void ThrowClosed() => throw new ObjectDisposedException(GetType().Name, $"The {Noun} has been closed.");

    private static int BitOf(PollMode mode) => mode == PollMode.Read ? ReadingBit : WritingBit;

    /// <summary>Begins an operation, until <see cref="EndOperation"/>.</summary>
    /// <exception cref="ObjectDisposedException">It has been closed.</exception>
    /// <exception cref="InvalidOperationException">There is one in this direction already.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BeginOperation(PollMode mode)
    {
        int old = Volatile.Read(ref _references);
        while ((old & (ClosedBit | BitOf(mode))) == 0)
        {
            int seen = Interlocked.CompareExchange(ref _references, (old | BitOf(mode)) + 1, old);
            if (seen == old)
                return;
            old = seen;
        }
        ThrowClosedOrInUse(mode, old);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndOperation(PollMode mode)
    {
        if (Interlocked.Add(ref _references, -(BitOf(mode) + 1)) == ClosedBit)
            CloseDescriptor();
    }

    private void ThrowClosedOrInUse(PollMode mode, int references)
    {
        if ((references & ClosedBit) != 0)
            ThrowClosed();
        throw new InvalidOperationException($"Another goroutine is {(mode == PollMode.Read ? "reading from" : "writing to")} this {Noun}.");
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref _references) == ClosedBit)
            CloseDescriptor();
    }

    private void CloseDescriptor()
    {
        bool registered;
        lock (_desc)
        {
            registered = _registered;
            if (registered)
                _poller.Unregister(_descriptor, _desc, IsShared);
        }
        _ = Lingers ? SystemSockets.CloseLingering(_descriptor) : SystemSockets.Close(_descriptor);
        if (registered)
            _poller.Free(_desc);
        else
            PollDescTable.Return(_desc);
    }

    /// <summary>Closes it. Reads and writes that are parked, and all later ones, end with
    /// <see cref="ObjectDisposedException"/>. Bytes written before are still sent. The peer sees the end at once, whatever is
    /// still using the socket here. Any thread; a second call does nothing.</summary>
    public void Close() => CloseCore(shutDown: true);

    private protected void CloseCore(bool shutDown)
    {
        int old = Interlocked.Or(ref _references, ClosedBit);
        if ((old & ClosedBit) != 0)
            return;
        if (old > 1)
        {
            _desc.Evict(); // first, so that whoever is parked sees the closing and not an end of the stream
            if (shutDown && !IsShared)
                _ = SystemSockets.Shutdown(_descriptor, SocketShutdown.Both);
        }
        Release();
    }

    /// <inheritdoc cref="Close"/>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    // ---- What a server built on this uses: no references (it holds one), no exceptions ----

    /// <summary>Reads what is there. The number of bytes, 0 at the end of the stream,
    /// <see cref="SystemSockets.WouldBlock"/> when <see cref="WaitAsync"/> is due, or a negative error.</summary>
    internal int TryRead(Span<byte> buffer)
    {
        if (_drained && !OperatingSystem.IsWindows()) // where an event only comes when it is asked for
        {
            // The last read got less than it asked for, so the system has nothing unless an event says otherwise. But an end
            // of stream that came with those bytes has had its event.
            if (!_desc.PeerClosed && !_desc.TryConsumeReady(PollMode.Read))
                return SystemSockets.WouldBlock;
            _drained = false;
        }
        int n = SystemSockets.Receive(_descriptor, buffer);
        _drained = _registered && n < buffer.Length && (n > 0 || n == SystemSockets.WouldBlock);
        return n;
    }

    /// <summary>Whether a wait to read must not be begun, since bytes may be there that have had their event.</summary>
    internal bool MayHaveInput => _registered && !_drained;

    /// <summary>As <see cref="MayHaveInput"/>, for writing: the last write was taken whole.</summary>
    internal bool MayHaveRoom => _registered && !_full;

    /// <summary>As <see cref="TryRead"/>; into an empty buffer, 0 when a read would not wait.</summary>
    internal int TryReadOrPeek(Span<byte> buffer)
    {
        if (!buffer.IsEmpty)
            return TryRead(buffer);
        return Math.Min(0, SystemSockets.Peek(_descriptor));
    }

    /// <summary>Writes what fits. The number of bytes, <see cref="SystemSockets.WouldBlock"/>, or a negative error.</summary>
    internal int TryWrite(ReadOnlySpan<byte> buffer)
    {
        int n = SystemSockets.Send(_descriptor, buffer);
        if (n < buffer.Length)
            _full = n >= 0 || n == SystemSockets.WouldBlock;
        return n;
    }

    /// <summary>As <see cref="TryWrite"/>, of several pieces of memory that does not move.</summary>
    internal unsafe int TryWriteVectors(IOVector* vectors, int count)
    {
        long length = 0;
        for (int i = 0; i < count; i++)
            length += (long)vectors[i].Length;
        int n = SystemSockets.SendVectors(_descriptor, vectors, count);
        if (n < length)
            _full = n >= 0 || n == SystemSockets.WouldBlock;
        return n;
    }

    /// <summary>Waits until a direction, in which a call has just found nothing to do, may be tried again. The first wait
    /// registers the descriptor with the poller: a connection that lives for one request never does.</summary>
    internal ValueTask<PollResult> WaitAsync(PollMode mode)
    {
        if (!_registered)
            Register();
        if (OperatingSystem.IsWindows() && !_desc.HasEvent(mode))
            _poller.Arm(_desc, mode);
        ValueTask<PollResult> wait = _desc.WaitAsync(mode);
        if (mode == PollMode.Read)
            _drained = false;
        else
            _full = false;
        return wait;
    }

    /// <summary>As <see cref="WaitAsync"/>; <see cref="PollResult.Cancelled"/> when the token says so.</summary>
    internal async ValueTask<PollResult> WaitCancellablyAsync(PollMode mode, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
            return await WaitAsync(mode);
        PollResult result;
        using (_desc.CancelOn(mode, cancellationToken))
            result = await WaitAsync(mode);
        return _desc.EndCancellable(mode, result, cancellationToken);
    }

    /// <summary>Has a work item queued when the peer has ended its stream or the connection has failed; see
    /// <see cref="PollDesc.WatchPeer"/>. By one who holds a reference.</summary>
    internal void WatchPeer(IThreadPoolWorkItem? watcher)
    {
        if (watcher is not null)
        {
            if (!_registered)
                Register();
            if (OperatingSystem.IsWindows())
                _poller.Arm(_desc, PollMode.Read);
        }
        _desc.WatchPeer(watcher);
    }

    private void Register()
    {
        lock (_desc)
        {
            if (_registered)
                return;
            _poller.Register(_descriptor, _desc);
            _registered = true;
        }
    }

    /// <summary>What a wait that ended otherwise than by an event is for the user.</summary>
    internal Exception ErrorOf(PollResult result, CancellationToken cancellationToken) => result switch
    {
        PollResult.Timeout => new TimeoutException($"The {Noun}'s deadline has passed."),
        PollResult.Cancelled => new OperationCanceledException(cancellationToken),
        _ => new ObjectDisposedException(GetType().Name, $"The {Noun} was closed while an operation waited on it."),
    };

    /// <summary>What an operation that the system has failed is for the user: a <see cref="Close"/> that came while it was being tried is no
    /// failure of the connection.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal Exception OperationErrorOf(int error, string doing) =>
        (Volatile.Read(ref _references) & ClosedBit) != 0 ? ErrorOf(PollResult.Closing, CancellationToken.None) : ErrorOf(error, doing);

    /// <summary>The exception for a (positive) error of the system.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static IOException ErrorOf(int error, string doing)
    {
        SocketException inner = SystemSockets.ExceptionFor(error, doing);
        return new IOException($"The connection failed: {inner.Message}", inner);
    }

    // ---- Deadlines ----

    /// <summary>Sets both deadlines; see <see cref="SetReadDeadline(DateTimeOffset?)"/>. Go's SetDeadline.</summary>
    public void SetDeadline(DateTimeOffset? deadline)
    {
        SetReadDeadline(deadline);
        SetWriteDeadline(deadline);
    }

    /// <summary>The time from which on reads end with <see cref="TimeoutException"/>: the one that is parked, and all later ones,
    /// until a deadline is set again. May be changed at any time. Go's SetReadDeadline.</summary>
    /// <param name="deadline">By the clock of the scheduler; in the past, to end reads at once; null for none.</param>
    /// <exception cref="ObjectDisposedException">It has been closed.</exception>
    public void SetReadDeadline(DateTimeOffset? deadline) => SetDeadline(PollMode.Read, FromNow(deadline));

    /// <summary>As <see cref="SetReadDeadline(DateTimeOffset?)"/>, for writes. A write that ends by it may have written some bytes.
    /// Go's SetWriteDeadline.</summary>
    /// <inheritdoc cref="SetReadDeadline(DateTimeOffset?)" path="/param"/>
    /// <inheritdoc cref="SetReadDeadline(DateTimeOffset?)" path="/exception"/>
    public void SetWriteDeadline(DateTimeOffset? deadline) => SetDeadline(PollMode.Write, FromNow(deadline));

    /// <summary>As <see cref="SetReadDeadline(DateTimeOffset?)"/>, counted from now.</summary>
    /// <param name="fromNow">Not positive, to end reads at once; <see cref="Timeout.InfiniteTimeSpan"/> for no deadline.</param>
    /// <inheritdoc cref="SetReadDeadline(DateTimeOffset?)" path="/exception"/>
    public void SetReadDeadline(TimeSpan fromNow) => SetDeadline(PollMode.Read, fromNow);

    /// <summary>As <see cref="SetWriteDeadline(DateTimeOffset?)"/>, counted from now.</summary>
    /// <inheritdoc cref="SetReadDeadline(TimeSpan)" path="/param"/>
    /// <inheritdoc cref="SetReadDeadline(DateTimeOffset?)" path="/exception"/>
    public void SetWriteDeadline(TimeSpan fromNow) => SetDeadline(PollMode.Write, fromNow);

    private TimeSpan FromNow(DateTimeOffset? deadline)
    {
        if (deadline is not { } time)
            return Timeout.InfiniteTimeSpan;
        TimeSpan fromNow = time - Scheduler.Clock.GetUtcNow();
        return fromNow > TimeSpan.Zero ? fromNow : TimeSpan.Zero;
    }

    private void SetDeadline(PollMode mode, TimeSpan fromNow)
    {
        AddReference();
        if (fromNow <= TimeSpan.Zero && fromNow != Timeout.InfiniteTimeSpan)
            _desc.Expire(mode);
        else
            _desc.SetDeadline(mode, Scheduler.TimeAfter(fromNow));
        Release();
    }
}
