using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>A stream connection over the poller; Go's net.TCPConn and net.UnixConn. One goroutine may read while another writes;
/// any may close. Reads and writes try the system call first and park the goroutine only when it would block.</summary>
public sealed partial class NetConnection : NetSocket
{
    private const int MaxVectors = 16;

    private RawAddress _remoteAddress;
    private EndPoint? _remoteEndPoint;
    private StreamOperation? _read;
    private StreamOperation? _write;

    internal NetConnection(GoScheduler scheduler, INetPoller poller, nint descriptor, in RawAddress remoteAddress)
        : base(scheduler, poller, descriptor)
    {
        _remoteAddress = remoteAddress;
    }

    /// <summary>The address of the peer.</summary>
    /// <exception cref="ObjectDisposedException">Asked for the first time after <see cref="NetSocket.Close"/>, of a Unix socket.
    /// </exception>
    public EndPoint RemoteEndPoint => _remoteEndPoint ??= GetRemoteEndPoint();

    private EndPoint GetRemoteEndPoint()
    {
        if (!_remoteAddress.IsEmpty)
            return SocketAddresses.FromRaw(_remoteAddress.Span);
        AddReference();
        try
        {
            return SocketAddresses.RemoteOf(Descriptor);
        }
        finally
        {
            Release();
        }
    }

    // ---- Lifetime ----

    /// <summary>Closes the connection and tells the peer that it failed (RST), throwing away what has not been sent.</summary>
    public void Abort()
    {
        if (!TryAddReference())
            return;
        _ = SystemSockets.SetLinger(Descriptor, true, 0);
        Lingers = false;
        CloseCore(shutDown: false); // a FIN now would keep the RST from being sent
        Release();
    }

    /// <summary>Ends the stream to the peer, which can still send; Go's CloseWrite.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void CloseWrite() => ShutdownDirection(SocketShutdown.Send);

    /// <summary>Ends the stream from the peer; Go's CloseRead.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void CloseRead() => ShutdownDirection(SocketShutdown.Receive);

    /// <summary>As <see cref="CloseWrite"/>, by one who holds a reference.</summary>
    internal void CloseWriteQuietly() => _ = SystemSockets.Shutdown(Descriptor, SocketShutdown.Send);

    private void ShutdownDirection(SocketShutdown how)
    {
        AddReference();
        _ = SystemSockets.Shutdown(Descriptor, how);
        Release();
    }

    /// <summary>The connection as a <see cref="Stream"/>, for SslStream, HttpClient, StreamReader and all else that wants
    /// one.</summary>
    /// <param name="ownsConnection">Whether disposing the stream closes the connection.</param>
    public NetStream AsStream(bool ownsConnection = true) => new(this, ownsConnection);

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
        BeginOperation(PollMode.Read);
        int n = Desc.HasExpired(PollMode.Read) ? SystemSockets.WouldBlock : TryReadOrPeek(buffer.Span);
        if (n != SystemSockets.WouldBlock)
        {
            EndOperation(PollMode.Read);
            if (n < 0)
                return ValueTask.FromException<int>(OperationErrorOf(-n, "read"));
            return Machine.SpendBudget() ? Go.YieldAsync(n) : new ValueTask<int>(n);
        }
        return (_read ??= new StreamOperation(this, PollMode.Read)).StartAsync(buffer, cancellationToken);
    }

    /// <summary>Reads what is there, without waiting. With <see cref="WaitToReadAsync"/> it serves who wants to hold no buffer while
    /// nothing comes.</summary>
    /// <param name="buffer">Where to; not empty.</param>
    /// <param name="bytesRead">The number of bytes; 0 at the end of the stream.</param>
    /// <returns>False when there is nothing yet.</returns>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public bool TryRead(Span<byte> buffer, out int bytesRead)
    {
        BeginOperation(PollMode.Read);
        int n = TryRead(buffer);
        EndOperation(PollMode.Read);
        bytesRead = Math.Max(0, n);
        return n >= 0 || (n == SystemSockets.WouldBlock ? false : throw OperationErrorOf(-n, "read"));
    }

    /// <summary>Waits until <see cref="TryRead(Span{byte}, out int)"/> is worth a try: there are bytes or the end of the stream, most
    /// likely.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public ValueTask WaitToReadAsync(CancellationToken cancellationToken = default) => WaitToTryAsync(PollMode.Read, ref _read, cancellationToken);

    /// <summary>Writes what the system takes, without waiting.</summary>
    /// <param name="buffer">What to write.</param>
    /// <param name="bytesWritten">How much of it has been written.</param>
    /// <returns>Whether that is all of it; if not, <see cref="WaitToWriteAsync"/> is due.</returns>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public bool TryWrite(ReadOnlySpan<byte> buffer, out int bytesWritten)
    {
        BeginOperation(PollMode.Write);
        int n = TryWrite(buffer);
        EndOperation(PollMode.Write);
        if (n < 0 && n != SystemSockets.WouldBlock)
            throw OperationErrorOf(-n, "write");
        bytesWritten = Math.Max(0, n);
        return bytesWritten == buffer.Length;
    }

    /// <summary>Waits until <see cref="TryWrite(ReadOnlySpan{byte}, out int)"/> is worth a try: the system has room, most likely.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public ValueTask WaitToWriteAsync(CancellationToken cancellationToken = default) => WaitToTryAsync(PollMode.Write, ref _write, cancellationToken);

    private ValueTask WaitToTryAsync(PollMode mode, ref StreamOperation? operation, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        BeginOperation(mode);
        if (!(mode == PollMode.Read ? MayHaveInput : MayHaveRoom) || Desc.HasExpired(mode))
            return (operation ??= new StreamOperation(this, mode)).StartWaitAsync(cancellationToken);
        EndOperation(mode);
        return Machine.SpendBudget() ? Go.YieldAsync() : default;
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
        BeginOperation(PollMode.Write);
        int n = Desc.HasExpired(PollMode.Write) ? SystemSockets.WouldBlock : TryWrite(buffer.Span);
        if (n == buffer.Length || (n < 0 && n != SystemSockets.WouldBlock))
        {
            EndOperation(PollMode.Write);
            if (n < 0)
                return ValueTask.FromException(OperationErrorOf(-n, "write"));
            return Machine.SpendBudget() ? Go.YieldAsync() : default;
        }
        Memory<byte> rest = MemoryMarshal.AsMemory(buffer[Math.Max(0, n)..]);
        return (_write ??= new StreamOperation(this, PollMode.Write)).StartWithoutResultAsync(rest, onlyWaits: false, cancellationToken);
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
            int n = WriteVectors(buffers);
            if (n >= 0)
            {
                buffers = buffers.Slice(n);
                if (Machine.SpendBudget())
                    await Go.YieldAsync();
            }
            else if (n == SystemSockets.WouldBlock)
            {
                await WriteAsync(FirstNotEmpty(buffers, out buffers), cancellationToken).ConfigureAwait(false);
            }
            else
            {
                throw OperationErrorOf(-n, "write");
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

    private unsafe int WriteVectors(ReadOnlySequence<byte> buffers)
    {
        IOVector* vectors = stackalloc IOVector[MaxVectors];
        MemoryHandle[] pins = new MemoryHandle[MaxVectors];
        int count = 0;
        BeginOperation(PollMode.Write);
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
            return SystemSockets.SendVectors(Descriptor, vectors, count);
        }
        finally
        {
            for (int i = 0; i < count; i++)
                pins[i].Dispose();
            EndOperation(PollMode.Write);
        }
    }
}
