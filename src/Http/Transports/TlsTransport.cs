using System.Net;
using System.Net.Security;
using NetGo.Netpoll;

namespace NetGo.Http;

// A connection with TLS. SslStream knows only operations that end when all is done, and HttpTransport only attempts; so:
//
// Reading. A wait is a read into an empty buffer, for which SslStream holds no memory and reads nothing before something is there. After
// it, _readable says that an attempt may begin a real read, into a buffer of ours. That one ends at once when the record is
// whole; else it is _reading, and the next wait waits for it. What has been read lies in _in until it is taken.
//
// Writing. An attempt copies the bytes and begins to write them. When that does not end at once it is _writing, and the attempt says
// that it would block; _written is how many bytes the next attempt, which begins with the same ones, will have written when it is over.
//
// A failure of either is kept: all later attempts find it.
//
// Deadlines. A read that the connection's deadline ends is the last one. A write that is late may yet be let go on, and would not survive that:
// so the write deadline is one of the wait only.
internal sealed class TlsTransport(NetConnection connection, SslStream stream, TlsConnectionState state) : HttpTransport
{
    private const int Failed = -1_000_000; // no error of the system, nor WouldBlock
    private const long MaxWait = 1L << 30; // milliseconds; of what a Task can wait for

    private NetBuffer? _in;
    private int _inStart;
    private int _inEnd;
    private Task<int>? _reading;
    private bool _readable;
    private bool _ended;
    private NetBuffer? _out;
    private Task? _writing;
    private int _written;
    private long _writeDeadline = long.MaxValue;
    private Exception? _failure;
    private bool _shutDown;

    public override GoScheduler Scheduler => connection.Scheduler;

    public override NetConnection? Connection => connection;

    public override TlsConnectionState? Tls => state;

    public override EndPoint RemoteEndPoint => connection.RemoteEndPoint;

    public override EndPoint LocalEndPoint => connection.LocalEndPoint;

    // ---- Lifetime ----

    public override bool TryAddReference() => connection.TryAddReference();

    public override void Release() => connection.Release();

    public override void Close() => connection.Close();

    public override void Abort()
    {
        _shutDown = true;
        connection.Abort();
    }

    public override void CloseWrite() => _ = CloseWriteAsync();

    private async Task CloseWriteAsync()
    {
        if (!connection.TryAddReference())
            return;
        try
        {
            await ShutDownAsync();
            connection.CloseWriteQuietly();
        }
        finally
        {
            connection.Release();
        }
    }

    // The close_notify, without which the peer cannot tell the end from an attack (RFC 8446, section 6.1).
    private async Task ShutDownAsync()
    {
        if (_shutDown)
            return;
        _shutDown = true;
        try
        {
            await stream.ShutdownAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or TimeoutException)
        {
            // There is nobody to tell any more, or not to be told in time.
        }
    }

    public override void Dispose()
    {
        if (_failure is null && _writing is null)
            _ = ShutDownAsync(); // it is sent at once, or not at all
        connection.Close();
        stream.Dispose();
        // Operations that are under way have their buffers until they have ended.
        ReturnAfter(_reading, ref _in);
        ReturnAfter(_writing, ref _out);
    }

    private static void ReturnAfter(Task? operation, ref NetBuffer? buffer)
    {
        if (buffer is not { } held)
            return;
        buffer = null;
        if (operation is null or { IsCompleted: true })
            held.Return();
        else
            operation.ContinueWith(static (_, b) => ((NetBuffer)b!).Return(), held, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public override Stream Detach(out byte[] received)
    {
        SetDeadline(PollMode.Read, long.MaxValue);
        SetDeadline(PollMode.Write, long.MaxValue);
        received = _in is { } read ? read.Span[_inStart.._inEnd].ToArray() : [];
        ReleaseInput();
        return stream;
    }

    // ---- Reading ----

    public override int TryRead(Span<byte> buffer)
    {
        if (_inStart == _inEnd)
        {
            if (_failure is not null)
                return Failed;
            if (_ended)
                return 0;
            int n = Fill();
            if (n <= 0)
                return n;
        }
        int count = Math.Min(buffer.Length, _inEnd - _inStart);
        _in!.Span.Slice(_inStart, count).CopyTo(buffer);
        _inStart += count;
        if (_inStart == _inEnd)
            ReleaseInput();
        return count;
    }

    private int Fill()
    {
        if (_reading is null)
        {
            if (!_readable)
                return SystemSockets.WouldBlock;
            _readable = false;
            _in ??= Scheduler.Buffers.Rent(BufferPool.MediumSize);
            ValueTask<int> read = stream.ReadAsync(_in.Memory);
            if (read.IsCompletedSuccessfully)
                return EndRead(read.Result);
            _reading = read.AsTask();
        }
        if (!_reading.IsCompleted)
            return SystemSockets.WouldBlock;
        Task<int> ended = _reading;
        _reading = null;
        if (ended.IsCompletedSuccessfully)
            return EndRead(ended.Result);
        ReleaseInput();
        return Fail(ended.Exception!.InnerException!);
    }

    private int EndRead(int n)
    {
        _inStart = 0;
        _inEnd = n;
        _ended = n == 0;
        if (n == 0)
            ReleaseInput();
        return n;
    }

    private void ReleaseInput()
    {
        _inStart = _inEnd = 0;
        _in?.Return();
        _in = null;
    }

    // ---- Writing ----

    public override int TryWrite(ReadOnlySpan<byte> buffer)
    {
        if (_failure is not null)
            return Failed;
        if (_writing is null)
        {
            if (buffer.IsEmpty)
                return 0;
            _written = Math.Min(buffer.Length, BufferPool.LargeSize);
            try
            {
                _out = Scheduler.Buffers.Rent(_written);
            }
            catch (InsufficientMemoryException e)
            {
                return Fail(e);
            }
            buffer[.._written].CopyTo(_out.Span);
            ValueTask write = stream.WriteAsync(_out.Memory[.._written]);
            if (write.IsCompletedSuccessfully)
            {
                ReleaseOutput();
                return _written;
            }
            _writing = write.AsTask();
        }
        if (!_writing.IsCompleted)
            return SystemSockets.WouldBlock;
        Task ended = _writing;
        _writing = null;
        ReleaseOutput();
        return ended.IsCompletedSuccessfully ? _written : Fail(ended.Exception!.InnerException!);
    }

    public override bool TryGetDelivered(out long bytes) => connection.TryGetAcknowledged(out bytes);

    private void ReleaseOutput()
    {
        _out?.Return();
        _out = null;
    }

    private int Fail(Exception failure)
    {
        _failure = failure;
        return Failed;
    }

    public override IOException ErrorOf(int error, string doing) =>
        _failure as IOException ?? new IOException($"The connection failed: {_failure!.Message}", _failure);

    // ---- Waiting ----

    public override ValueTask<PollResult> WaitAsync(PollMode mode) => WaitCancellablyAsync(mode, default);

    public override async ValueTask<PollResult> WaitCancellablyAsync(PollMode mode, CancellationToken cancellationToken)
    {
        try
        {
            if (mode == PollMode.Write)
            {
                if (_writing is not null && !await WaitForWriteAsync(_writing, cancellationToken))
                    return PollResult.Timeout;
            }
            else if (_reading is not null)
            {
                await _reading.WaitAsync(cancellationToken);
            }
            else if (_inStart == _inEnd && !_ended && _failure is null)
            {
                _readable = await stream.ReadAsync(Memory<byte>.Empty, cancellationToken) == 0; // as it always is
            }
            return PollResult.Ready;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return PollResult.Cancelled;
        }
        catch (IOException e) when (e.InnerException is TimeoutException) // SslStream wraps what is none
        {
            return PollResult.Timeout;
        }
        catch (Exception e) when (e is ObjectDisposedException or { InnerException: ObjectDisposedException })
        {
            return PollResult.Closing;
        }
        catch (Exception e)
        {
            Fail(e);
            return PollResult.Ready; // and the next attempt fails
        }
        finally
        {
            SetDeadline(mode, long.MaxValue); // it is for this wait: an attempt may come long after it
        }
    }

    private async ValueTask<bool> WaitForWriteAsync(Task writing, CancellationToken cancellationToken)
    {
        if (_writeDeadline == long.MaxValue)
        {
            await writing.WaitAsync(cancellationToken);
            return true;
        }
        long left = Math.Max(0, _writeDeadline - Scheduler.Now()) / 1_000_000;
        try
        {
            await writing.WaitAsync(TimeSpan.FromMilliseconds(Math.Min(left, MaxWait)), cancellationToken);
            return true;
        }
        catch (TimeoutException) when (!writing.IsCompleted)
        {
            return left > MaxWait; // then ask again
        }
    }

    public override void SetDeadline(PollMode mode, long when)
    {
        if (mode == PollMode.Read)
            connection.Desc.SetDeadline(mode, when);
        else
            _writeDeadline = when;
    }

    public override void WatchPeer(IThreadPoolWorkItem? watcher) => connection.WatchPeer(watcher);
}
