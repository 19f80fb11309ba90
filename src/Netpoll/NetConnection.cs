using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static NetGo.Netpoll.LinuxSockets;

namespace NetGo.Netpoll;

// A connection's descriptor is closed when nobody can be using it: _references counts the operations under way, and the
// connection itself is one of them until Close. Close sets ClosedBit, wakes whoever is parked, and gives its own up; who
// gives the last one up closes the descriptor (Go's fdMutex). The number can be used again by the system only after that.

/// <summary>A stream connection over the poller; Go's net.TCPConn. One goroutine may read while another writes; any may
/// close. Reads and writes try the system call first and park the goroutine only when it would block.</summary>
public sealed class NetConnection : IDisposable
{
    private const int ClosedBit = 1 << 30;
    private const int MaxVectors = 16;

    private readonly INetPoller _poller;
    private readonly PollDesc _desc;
    private readonly int _descriptor;
    private readonly AddressFamily _family;
    private volatile bool _registered;
    private bool _drained;
    private int _references = 1;
    private EndPoint? _localEndPoint;
    private EndPoint? _remoteEndPoint;
    private PendingOperation? _read;
    private PendingOperation? _write;

    internal NetConnection(GoScheduler scheduler, INetPoller poller, int descriptor, AddressFamily family)
    {
        _poller = poller;
        _descriptor = descriptor;
        _family = family;
        _desc = PollDescTable.Rent(scheduler);
    }

    internal int Descriptor => _descriptor;

    internal PollDesc Desc => _desc;

    /// <summary>The address of this end.</summary>
    /// <exception cref="ObjectDisposedException">Asked for the first time after <see cref="Close"/>.</exception>
    public EndPoint LocalEndPoint => _localEndPoint ??= EndPointOf(local: true);

    /// <summary>The address of the peer.</summary>
    /// <exception cref="ObjectDisposedException">Asked for the first time after <see cref="Close"/>.</exception>
    public EndPoint RemoteEndPoint => _remoteEndPoint ??= EndPointOf(local: false);

    private EndPoint EndPointOf(bool local)
    {
        AddReference();
        try
        {
            return local ? SocketAddresses.LocalOf(_descriptor, _family) : SocketAddresses.RemoteOf(_descriptor, _family);
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

    private void AddReference()
    {
        if (!TryAddReference())
            throw new ObjectDisposedException(nameof(NetConnection), "The connection has been closed.");
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref _references) == ClosedBit)
            CloseDescriptor();
    }

    private void CloseDescriptor()
    {
        lock (_desc)
        {
            if (_registered)
                _poller.Unregister(_descriptor, _desc);
        }
        PollDescTable.Return(_desc);
        _ = LinuxSockets.Close(_descriptor);
    }

    /// <summary>Closes the connection. Reads and writes that are parked, and all later ones, end with
    /// <see cref="ObjectDisposedException"/>. Bytes written before are still sent. The peer sees the end at once, whatever is
    /// still using the connection here. Any thread; a second call does nothing.</summary>
    public void Close() => CloseCore(shutDown: true);

    private void CloseCore(bool shutDown)
    {
        int old = Interlocked.Or(ref _references, ClosedBit);
        if ((old & ClosedBit) != 0)
            return;
        if (old > 1)
        {
            _desc.Evict(); // first, so that whoever is parked sees the closing and not an end of the stream
            if (shutDown)
                _ = Shutdown(_descriptor, SHUT_RDWR);
        }
        Release();
    }

    /// <inheritdoc cref="Close"/>
    public void Dispose() => Close();

    /// <summary>Closes the connection and tells the peer that it failed (RST), throwing away what has not been sent.</summary>
    public unsafe void Abort()
    {
        if (!TryAddReference())
            return;
        (int OnOff, int Seconds) linger = (1, 0);
        _ = SetSocketOption(_descriptor, SOL_SOCKET, SO_LINGER, &linger, (uint)sizeof((int, int)));
        CloseCore(shutDown: false); // a FIN now would keep the RST from being sent
        Release();
    }

    /// <summary>Ends the stream to the peer, which can still send; Go's CloseWrite.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void CloseWrite() => ShutdownDirection(SHUT_WR);

    /// <summary>Ends the stream from the peer; Go's CloseRead.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void CloseRead() => ShutdownDirection(SHUT_RD);

    /// <summary>As <see cref="CloseWrite"/>, by one who holds a reference.</summary>
    internal void CloseWriteQuietly() => _ = Shutdown(_descriptor, SHUT_WR);

    private void ShutdownDirection(int how)
    {
        AddReference();
        _ = Shutdown(_descriptor, how);
        Release();
    }

    // ---- What a server built on this uses: no references (it holds one), no exceptions ----

    /// <summary>Reads what is there. The number of bytes, 0 at the end of the stream, or a negative errno:
    /// -<see cref="EAGAIN"/> when <see cref="WaitAsync"/> is due.</summary>
    internal unsafe int TryRead(Span<byte> buffer)
    {
        if (_drained)
        {
            // The last read got less than it asked for, so the system has nothing unless an event says otherwise. But an end
            // of stream that came with those bytes has had its event.
            if (!_desc.PeerClosed && !_desc.TryConsumeReady(PollMode.Read))
                return -EAGAIN;
            _drained = false;
        }
        fixed (byte* start = buffer)
        {
            while (true)
            {
                int n = (int)Recv(_descriptor, start, buffer.Length, 0);
                if (n >= 0)
                {
                    _drained = n < buffer.Length && n > 0 && _registered;
                    return n;
                }
                int error = LastError;
                if (error != EINTR)
                    return -error;
            }
        }
    }

    /// <summary>As <see cref="TryRead"/>; into an empty buffer, 0 when a read would not wait.</summary>
    internal unsafe int TryReadOrPeek(Span<byte> buffer)
    {
        if (!buffer.IsEmpty)
            return TryRead(buffer);
        byte peeked;
        int n = (int)Recv(_descriptor, &peeked, 1, MSG_PEEK);
        return n >= 0 ? 0 : -LastError;
    }

    /// <summary>Writes what fits. The number of bytes or a negative errno.</summary>
    internal unsafe int TryWrite(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                int n = (int)Send(_descriptor, start, buffer.Length, MSG_NOSIGNAL);
                if (n >= 0)
                    return n;
                int error = LastError;
                if (error != EINTR)
                    return -error;
            }
        }
    }

    /// <summary>Waits until a direction may be tried again. The first wait registers the descriptor with the poller: a
    /// connection that lives for one request never does.</summary>
    internal ValueTask<PollResult> WaitAsync(PollMode mode)
    {
        if (!_registered)
            Register();
        ValueTask<PollResult> wait = _desc.WaitAsync(mode);
        if (mode == PollMode.Read)
            _drained = false;
        return wait;
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

    // ---- Reading ----

    /// <summary>Reads at least one byte. Go's Conn.Read.</summary>
    /// <param name="buffer">Where to. When it is empty, waits until there is something to read.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    /// <returns>The number of bytes; 0 at the end of the stream.</returns>
    /// <exception cref="IOException">The connection failed; the inner <see cref="SocketException"/> says how.</exception>
    /// <exception cref="TimeoutException">The read deadline has passed.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another goroutine is reading.</exception>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        AddReference();
        int n = TryReadOrPeek(buffer.Span);
        if (n != -EAGAIN)
        {
            Release();
            if (n < 0)
                return ValueTask.FromException<int>(ErrorOf(-n, "read"));
            return Machine.SpendBudget() ? Go.YieldAsync(n) : new ValueTask<int>(n);
        }
        return (_read ??= new PendingOperation(this, PollMode.Read)).StartAsync(buffer, cancellationToken);
    }

    /// <summary>Writes all bytes. Go's Conn.Write.</summary>
    /// <param name="buffer">What to write.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been written is then unknown.</param>
    /// <exception cref="IOException">The connection failed; the inner <see cref="SocketException"/> says how.</exception>
    /// <exception cref="TimeoutException">The write deadline has passed.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another goroutine is writing.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        AddReference();
        int n = TryWrite(buffer.Span);
        if (n == buffer.Length || (n < 0 && n != -EAGAIN))
        {
            Release();
            if (n < 0)
                return ValueTask.FromException(ErrorOf(-n, "write"));
            return Machine.SpendBudget() ? Go.YieldAsync() : default;
        }
        Memory<byte> rest = MemoryMarshal.AsMemory(buffer[Math.Max(0, n)..]);
        return (_write ??= new PendingOperation(this, PollMode.Write)).StartWithoutResultAsync(rest, cancellationToken);
    }

    /// <summary>Writes several pieces with as few system calls as the system allows (sendmsg(2)); Go's net.Buffers.</summary>
    /// <param name="buffers">What to write.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been written is then unknown.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public async ValueTask WriteAsync(ReadOnlySequence<byte> buffers, CancellationToken cancellationToken = default)
    {
        while (!buffers.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (buffers.IsSingleSegment)
            {
                await WriteAsync(buffers.First, cancellationToken).ConfigureAwait(false);
                return;
            }
            long n = WriteVectors(buffers);
            if (n >= 0)
            {
                buffers = buffers.Slice(n);
                if (Machine.SpendBudget())
                    await Go.YieldAsync();
            }
            else if (n == -EAGAIN)
            {
                await WriteAsync(FirstNotEmpty(buffers, out buffers), cancellationToken).ConfigureAwait(false);
            }
            else
            {
                throw ErrorOf((int)-n, "write");
            }
        }
    }

    private static ReadOnlyMemory<byte> FirstNotEmpty(ReadOnlySequence<byte> buffers, out ReadOnlySequence<byte> rest)
    {
        foreach (ReadOnlyMemory<byte> piece in buffers)
        {
            if (piece.IsEmpty)
                continue;
            rest = buffers.Slice(piece.Length);
            return piece;
        }
        rest = default;
        return default;
    }

    private unsafe long WriteVectors(ReadOnlySequence<byte> buffers)
    {
        IOVector* vectors = stackalloc IOVector[MaxVectors];
        MemoryHandle[] pins = new MemoryHandle[MaxVectors];
        int count = 0;
        AddReference();
        try
        {
            foreach (ReadOnlyMemory<byte> piece in buffers)
            {
                if (count == MaxVectors)
                    break;
                if (piece.IsEmpty)
                    continue;
                pins[count] = piece.Pin();
                vectors[count] = new IOVector { Base = pins[count].Pointer, Length = (nuint)piece.Length };
                count++;
            }
            MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
            while (true)
            {
                nint n = SendMessage(_descriptor, &message, MSG_NOSIGNAL);
                if (n >= 0)
                    return n;
                int error = LastError;
                if (error != EINTR)
                    return -error;
            }
        }
        finally
        {
            for (int i = 0; i < count; i++)
                pins[i].Dispose();
            Release();
        }
    }

    // ---- Deadlines ----

    /// <summary>The time after which reads that would wait end with <see cref="TimeoutException"/>, from now; null for none.
    /// May be changed while a read is parked. Go's SetReadDeadline.</summary>
    public TimeSpan? ReadTimeout
    {
        set => SetTimeout(PollMode.Read, value);
    }

    /// <summary>The time after which writes that would wait end with <see cref="TimeoutException"/>, from now; null for none.
    /// May be changed while a write is parked. Go's SetWriteDeadline.</summary>
    public TimeSpan? WriteTimeout
    {
        set => SetTimeout(PollMode.Write, value);
    }

    private void SetTimeout(PollMode mode, TimeSpan? timeout)
    {
        AddReference();
        _desc.SetDeadline(mode, timeout is { } t ? _desc.Scheduler.TimeAfter(t) : long.MaxValue);
        Release();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static IOException ErrorOf(int errno, string doing)
    {
        SocketException inner = ExceptionFor(errno, doing);
        return new IOException($"The connection failed: {inner.Message}", inner);
    }
}
