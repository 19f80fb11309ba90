using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using NetGo.Netpoll;

namespace NetGo.Http;

// What a connection needs while a request is under way: buffers, parser, request and response objects. An idle connection has
// none; they are kept per thread and lent to whichever connection has something to do.
//
// The input buffer holds, in this order, the head of the current request (its fields are views of it until the response has
// ended), bytes of its content that have been used up, and bytes that nobody has looked at yet: _position to _end.
internal sealed class Http1Exchange
{
    private const int MaxKept = 64;
    private const int FilePiece = 1024 * 1024;

    [ThreadStatic]
    private static Stack<Http1Exchange>? t_kept;

    private Http1Connection? _connection;
    private NetBuffer? _input;
    private int _position;
    private int _end;
    private int _contentStart;
    private bool _readPast;
    private long _readDeadline;  // of the handler; 0 for none
    private long _writeDeadline;
    private Pace _readPace;
    private Pace _writePace;
    private long _waitStart;
    private long _delivered;
    private long _received;
    private long _counted; // of Output.Sent

    private Http1Exchange()
    {
        Request = new Request(this);
        Response = new Http1ResponseWriter(this);
    }

    public Http1Connection Connection => _connection!;

    public HttpTransport Transport => _connection!.Transport;

    public HttpLimits Limits => _connection!.Limits;

    public RequestParser Parser { get; } = new();

    public Request Request { get; }

    public Http1ResponseWriter Response { get; }

    public OutputBuffer Output { get; } = new();

    /// <summary>What telemetry knows of the request.</summary>
    public RequestWatch Watch;

    /// <summary>The execution context that the connection's goroutine had before the handler was called; null where it does not flow.</summary>
    public ExecutionContext? ContextBefore;

    /// <summary>When the last request ended, if the clock has been asked then and there has been no wait since; else 0. So an idle connection's deadline does
    /// not need the clock again.</summary>
    public long EndedAt;

    private BufferPool Buffers => Transport.Scheduler.Buffers;

    public static Http1Exchange Rent(Http1Connection connection)
    {
        Stack<Http1Exchange> kept = t_kept ??= new Stack<Http1Exchange>();
        Http1Exchange exchange = kept.Count > 0 ? kept.Pop() : new Http1Exchange();
        exchange._connection = connection;
        exchange.Output.Buffers = exchange.Buffers;
        exchange.EndedAt = 0;
        exchange._received = 0;
        exchange._counted = exchange.Output.Sent;
        exchange.BeginRequest();
        return exchange;
    }

    /// <summary>Gives the buffers back, and the object to the thread.</summary>
    public void Return()
    {
        try
        {
            if (_connection!.Metrics is { } metrics)
                EndTelemetry(metrics);
        }
        finally
        {
            Release();
        }
    }

    private void Release()
    {
        ContextBefore = null;
        Output.Clear();
        if (_input is { } input)
            input.Return();
        _input = null;
        Request.SetRaw(null);
        _position = _end = 0;
        _connection = null;
        Stack<Http1Exchange> kept = t_kept ??= new Stack<Http1Exchange>();
        if (kept.Count < MaxKept)
            kept.Push(this);
    }

    private void EndTelemetry(HttpMetrics metrics)
    {
        if (Watch.IsOn)
            Watch.End(this, metrics, new RequestOutcome(0, RequestOutcome.Incomplete), null); // the server itself has failed
        CountIo(metrics);
    }

    // At each wait, and at the end: so a long transfer is seen while it goes on.
    private void CountIo(HttpMetrics? metrics)
    {
        EndedAt = 0;
        if (metrics is null || !metrics.Io.Enabled)
            return;
        long sent = Output.Sent;
        metrics.CountIo(_received, sent - _counted);
        _received = 0;
        _counted = sent;
    }

    public void BeginRequest()
    {
        Request.Reset();
        _readPast = false;
        _readDeadline = _writeDeadline = 0;
        _readPace = _writePace = default;
        Parser.Begin(_position, Limits);
    }

    // ---- Input ----

    /// <summary>The bytes that nobody has looked at yet.</summary>
    public ReadOnlySpan<byte> Input => _input is { } input ? input.Span[_position.._end] : default;

    /// <summary>Whether a request is HEAD, of which perhaps no more has been understood: its refusal has no content.</summary>
    public bool BeginsWithHead => _input is { } input && input.Span[Parser.Start.._end].StartsWith("HEAD "u8);

    public RequestParser.Outcome ParseHead()
    {
        if (_input is null)
            return RequestParser.Outcome.NeedMore;
        RequestParser.Outcome outcome = Parser.Parse(_input.Span[.._end], Request, out int headEnd);
        if (outcome == RequestParser.Outcome.Complete)
            _position = headEnd;
        return outcome;
    }

    /// <summary>Has the buffer into which a head is read. False when there is no memory for one now: <see cref="WaitForInputBufferAsync"/>
    /// is due.</summary>
    public bool TryTakeInputBuffer()
    {
        if (_input is null && Buffers.TryRent(BufferPool.SmallSize) is { } buffer)
            SetInput(buffer);
        return _input is not null;
    }

    /// <summary>Waits for that memory.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled before there was any.</exception>
    public async ValueTask WaitForInputBufferAsync(CancellationToken cancellationToken) =>
        SetInput(await Buffers.RentAsync(BufferPool.SmallSize, cancellationToken));

    /// <summary>Reads what has come, while the head is being read: there is a buffer. The number of bytes, 0 at the end,
    /// <see cref="SystemSockets.WouldBlock"/>, or a negative error.</summary>
    /// <exception cref="InsufficientMemoryException">There is no memory for a larger buffer.</exception>
    public int FillHead()
    {
        Debug.Assert(_input is not null);
        if (_position == _end && _position > 0)
        {
            // Nothing but the heads of requests that are over.
            _position = _end = 0;
            BeginRequest();
        }
        else if (_end == _input.Length)
        {
            MakeRoomForHead();
        }
        return Receive();
    }

    private void MakeRoomForHead()
    {
        if (_position > 0)
        {
            // The parser and the request know places in the buffer: they read the head again from its new one. At once, for nothing more may come
            // for now, and it is they who know that there is the beginning of one.
            _input!.Span[_position.._end].CopyTo(_input.Span);
            _end -= _position;
            _position = 0;
            BeginRequest();
            ParseHead();
        }
        else
        {
            GrowInput();
        }
    }

    /// <summary>Reads what has come, while the content is being read: the head stays where it is.</summary>
    public int FillInput()
    {
        if (_position == _end)
            _position = _end = _contentStart;
        if (_end == _input!.Length)
        {
            int used = _position - _contentStart;
            if (used > 0)
            {
                _input.Span[_position.._end].CopyTo(_input.Span[_contentStart..]);
                _position -= used;
                _end -= used;
            }
            else
            {
                GrowInput();
            }
        }
        return Receive();
    }

    /// <summary>The head is whole: what follows is content.</summary>
    public void BeginContent()
    {
        _contentStart = _position;
        Request.RequestBody.Begin(Request.ContentLength);
    }

    public int TakeInput(Span<byte> to)
    {
        int n = Math.Min(to.Length, _end - _position);
        if (n > 0)
        {
            _input!.Span.Slice(_position, n).CopyTo(to);
            _position += n;
        }
        return n;
    }

    public void SkipInput(int count) => _position += count;

    private int Receive()
    {
        int n = Transport.TryRead(_input!.Span[_end..]);
        if (n > 0)
        {
            _end += n;
            _received += n;
        }
        return n;
    }

    // The limits of the head and of a chunk line are such that 64 KiB always suffice.
    private void GrowInput()
    {
        NetBuffer larger = Buffers.Rent(Math.Min(_input!.Length * 4, BufferPool.LargeSize));
        _input.Span[.._end].CopyTo(larger.Span);
        _input.Return();
        SetInput(larger);
    }

    private void SetInput(NetBuffer buffer)
    {
        _input = buffer;
        Request.SetRaw(buffer);
    }

    /// <summary>For a body that waits for more. <see cref="EndWaitForInput"/> comes after it.</summary>
    public ValueTask<PollResult> WaitForInputAsync(CancellationToken cancellationToken)
    {
        BeginWaitForInput();
        return cancellationToken.CanBeCanceled ? Transport.WaitCancellablyAsync(PollMode.Read, cancellationToken) : Transport.WaitAsync(PollMode.Read);
    }

    public void BeginWaitForInput()
    {
        CountIo(_connection!.Metrics);
        _waitStart = Transport.Scheduler.Now();
        Transport.SetDeadline(
            PollMode.Read,
            _readDeadline != 0 ? _readDeadline : _waitStart + _readPace.Allow(Limits.MinRequestBodyDataRate, Limits.ReadTimeout, Request.RequestBody.Position));
    }

    public void EndWaitForInput() => _readPace.Spend(Transport.Scheduler.Now() - _waitStart);

    /// <summary>Whether no more can be expected to have come than has been read: the input buffer was not filled, and nothing was read
    /// past it.</summary>
    public bool HasReadAll => _position == _end && _end < _input!.Length && !_readPast;

    /// <summary>Reads content past the input buffer, which has none.</summary>
    public int ReadPast(Span<byte> to)
    {
        _readPast = true;
        int n = Transport.TryRead(to);
        _received += Math.Max(0, n);
        return n;
    }

    // ---- Deadlines ----

    public void SetDeadline(PollMode mode, TimeSpan fromNow)
    {
        long deadline = fromNow == Timeout.InfiniteTimeSpan ? long.MaxValue : Math.Max(1, Transport.Scheduler.TimeAfter(fromNow));
        if (mode == PollMode.Read)
            _readDeadline = deadline;
        else
            _writeDeadline = deadline;
    }

    // ---- The context, and the end of it all ----

    public Context BeginContext() => _connection!.BeginContext();

    /// <summary>Gives the connection to the handler. Nothing may be left in the output buffer.</summary>
    public HijackedStream Hijack()
    {
        Stream inner = Transport.Detach(out byte[] behind);
        byte[] received = [.. Input, .. behind];
        _position = _end;
        var stream = new HijackedStream(inner, received, Transport.Connection, Transport.RemoteEndPoint);
        if (Watch.IsOn)
            Watch.HandOver(this, _connection!.Metrics!, Response.StatusCode == 101 ? 101 : 0);
        _connection!.BeHijackedBy(stream);
        return stream;
    }

    // ---- Output ----

    /// <summary>RFC 9110, section 10.1.1: the client waits for this before it sends the content.</summary>
    public ValueTask SendContinueAsync()
    {
        if (!Request.ExpectsContinue)
            return default;
        Request.ExpectsContinue = false;
        return Response.HeaderWritten ? default : SendContinueNowAsync(); // else it has had its answer
    }

    private async ValueTask SendContinueNowAsync()
    {
        Output.Append("HTTP/1.1 100 Continue\r\n\r\n"u8);
        await FlushAsync();
        Response.MoveStart();
    }

    /// <summary>Sends all that is buffered.</summary>
    /// <exception cref="IOException">The connection failed.</exception>
    public ValueTask FlushAsync()
    {
        int error = Output.TrySend(Transport);
        if (error == 0)
            return Machine.SpendBudget() ? Go.YieldAsync() : default;
        return error == SystemSockets.WouldBlock ? FlushSlowAsync() : ValueTask.FromException(Transport.ErrorOf(error, "write"));
    }

    private async ValueTask FlushSlowAsync()
    {
        int error;
        do
        {
            await WaitToWriteAsync();
            error = Output.TrySend(Transport);
        }
        while (error == SystemSockets.WouldBlock);
        if (error != 0)
            throw Transport.ErrorOf(error, "write");
    }

    /// <summary>Sends bytes that are not in the buffer, which must be empty.</summary>
    /// <exception cref="IOException">The connection failed.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int n = Transport.TryWrite(bytes.Span);
            if (n >= 0)
            {
                bytes = bytes[n..];
                Output.Sent += n;
            }
            else if (n == SystemSockets.WouldBlock)
            {
                await WaitToWriteAsync();
            }
            else
            {
                throw Transport.ErrorOf(n, "write");
            }
        }
        if (Machine.SpendBudget())
            await Go.YieldAsync();
    }

    /// <summary>Sends a part of a file past the process, as far as that is possible.</summary>
    /// <exception cref="FileEndedException">The file is shorter.</exception>
    /// <exception cref="IOException">The connection failed, or the file cannot be read.</exception>
    public async ValueTask SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken)
    {
        for (long sent = 0; sent < count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int n = Transport.TrySendFile(file, offset + sent, (int)Math.Min(count - sent, FilePiece));
            bool copies = n == SystemSockets.NotPossible;
            if (copies)
                n = await CopyPieceAsync(file, offset + sent, count - sent, cancellationToken);
            if (n == 0)
                throw new FileEndedException(sent, count);
            if (n > 0)
            {
                sent += n;
                if (!copies)
                    Output.Sent += n;
            }
            else if (n == SystemSockets.WouldBlock)
            {
                await WaitToWriteAsync(cancellationToken);
            }
            else
            {
                throw Transport.ErrorOf(n, "send a file");
            }
            if (n == FilePiece || Machine.SpendBudget())
                await Go.YieldAsync();
        }
    }

    private async ValueTask<int> CopyPieceAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken)
    {
        NetBuffer buffer = await Buffers.RentAsync(BufferPool.LargeSize, cancellationToken);
        try
        {
            int n = Go.Blocking(() => RandomAccess.Read(file, buffer.Span[..(int)Math.Min(count, buffer.Length)], offset));
            await SendAsync(buffer.Memory[..n]);
            return n;
        }
        finally
        {
            buffer.Return();
        }
    }

    private async ValueTask WaitToWriteAsync(CancellationToken cancellationToken = default)
    {
        PollResult result = await WaitUntilWritableAsync(cancellationToken);
        if (result == PollResult.Timeout)
            throw new IOException("The client does not read the response, or too slowly.");
        if (result == PollResult.Closing)
            throw new IOException("The connection was closed.");
        if (result == PollResult.Cancelled)
            throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Waits until there is room for more, or the client has had its time. While it reads, however little, that is not the
    /// <see cref="Server.WriteTimeout"/>: the system tells of room only when there is a good deal of it.</summary>
    public async ValueTask<PollResult> WaitUntilWritableAsync(CancellationToken cancellationToken)
    {
        CountIo(_connection!.Metrics);
        while (true)
        {
            long start = Transport.Scheduler.Now();
            long deadline = _writeDeadline != 0 ? _writeDeadline : start + AllowToWrite(out _);
            Transport.SetDeadline(PollMode.Write, deadline);
            PollResult result = cancellationToken.CanBeCanceled
                ? await Transport.WaitCancellablyAsync(PollMode.Write, cancellationToken)
                : await Transport.WaitAsync(PollMode.Write);
            _writePace.Spend(Transport.Scheduler.Now() - start);
            if (result != PollResult.Timeout || _writeDeadline != 0)
                return result;
            if (AllowToWrite(out bool reads) <= 0 || !reads)
                return PollResult.Timeout;
        }
    }

    private long AllowToWrite(out bool reads)
    {
        // Where nobody tells what has been acknowledged, the system has at least taken what was sent.
        if (!Transport.TryGetDelivered(out long delivered))
            delivered = Output.Sent;
        reads = delivered != _delivered;
        _delivered = delivered;
        return _writePace.Allow(Limits.MinResponseDataRate, Limits.WriteTimeout, delivered);
    }
}
