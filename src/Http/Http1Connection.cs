using System.Diagnostics;
using System.Net.Security;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using NetGo.Netpoll;

namespace NetGo.Http;

// A connection: one goroutine, ServeAsync, that reads requests, has them handled and sends the answers. All decisions are made
// by Advance, which is synchronous; the goroutine only waits for what Advance says. The phases:
//
//   Head      reading and parsing a head. Out of input: send what is pending, then wait for more
//   Handling  the handler runs, or has been started and has not ended
//   Draining  the response has ended; the rest of the content is read and thrown away
//   Sending   the last answer is being sent; then Linger or end
//   Linger    our side has been closed; what the peer still sends is read and thrown away for a while, because closing with
//             unread input makes the system reset the connection, and the peer may lose the last answer (RFC 9112, 9.6)
//
// Shutdown and the idle connection: _state goes from Active to Idle before the wait for a new request, and back by
// compare-and-swap after it. A shutdown swaps Idle for Closed and closes the connection; so an idle one is closed and an
// active one is left to end its request, after which it sees IsShuttingDown. A wait for the first request of a connection is
// Fresh instead: a client that has just connected is about to send one, and would take a close for a failure. A shutdown only
// shortens that wait.
internal sealed class Http1Connection : IThreadPoolWorkItem
{
    private const int PendingOutputLimit = 32 * 1024;
    private const long MaxDrain = 256 * 1024;
    private const long MaxLinger = 1024 * 1024;
    private const long LingerTimeout = 2_000_000_000;
    private const long FreshTimeout = 5_000_000_000; // as Go's net/http

    private const int Active = 0;
    private const int Idle = 1;
    private const int Closed = 2;
    private const int Fresh = 3;

    private static long s_lastId;

    private readonly Server _server;
    private Http1Exchange? _exchange;
    private ValueTask _handler;
    private Exception? _handlerError;
    private Phase _phase;
    private bool _handlerStarted;
    private bool _hadRequest;
    private bool _reportedActive;
    private byte _emptyLines; // before the next request
    private int _state;
    private long _discarded;
    private long _headDeadline;
    private readonly TlsOptions? _tls;
    private long _openedAt; // 0 when nobody wanted to know
    private long _id;
    private CancelContext? _current; // what a close ends: the context of the request, or of the wait for memory

    internal Http1Connection(Server server, HttpTransport transport, Context context, TlsOptions? tls)
    {
        _server = server;
        _tls = tls;
        Transport = transport;
        Context = context;
    }

    private enum Phase : byte
    {
        Head,
        Handling,
        Draining,
        Sending,
        Linger,
    }

    private enum Step : byte
    {
        AwaitRead,
        AwaitWrite,
        AwaitHandler,
        AwaitBuffer,
        Yield,
        End,
    }

    /// <summary>With TLS another one after the handshake, over the same descriptor.</summary>
    public HttpTransport Transport { get; private set; }

    /// <summary>What the contexts of its requests derive from.</summary>
    public Context Context { get; }

    public HttpLimits Limits => _server.Limits;

    /// <summary>Null when the server serves nothing.</summary>
    public HttpMetrics? Metrics => _server.Metrics;

    /// <summary>A number, for events.</summary>
    public long Id => _id != 0 ? _id : _id = Interlocked.Increment(ref s_lastId);

    public bool IsShuttingDown => _server.IsShuttingDown;

    public ReadOnlySpan<byte> ServerFieldLine => _server.ServerFieldLine;

    // The server's list of its connections. Guarded by the list's lock.
    internal Http1Connection? Previous;
    internal Http1Connection? Next;

    public async Task ServeAsync()
    {
        if (!Transport.TryAddReference())
        {
            End();
            return;
        }
        try
        {
            Report(ConnState.New);
            BeginTelemetry();
            if (_tls is not null && !await ShakeHandsAsync(_tls))
                return;
            while (true)
            {
                Step step = Advance();
                if (step == Step.AwaitRead)
                {
                    if (!Resume(await Transport.WaitAsync(PollMode.Read)))
                        return;
                }
                else if (step == Step.AwaitHandler)
                {
                    try
                    {
                        await _handler; // in the goroutine's context: wherever it ends, this goes on as the goroutine
                    }
                    catch (Exception e)
                    {
                        _handlerError = e;
                    }
                    _handler = default;
                    EndHandler();
                }
                else if (step == Step.AwaitWrite)
                {
                    if (await _exchange!.WaitUntilWritableAsync(CancellationToken.None) != PollResult.Ready)
                    {
                        Transport.Abort();
                        return;
                    }
                }
                else if (step == Step.AwaitBuffer)
                {
                    if (!await WaitForBufferAsync(_exchange!))
                        return;
                }
                else if (step == Step.Yield)
                {
                    await Go.YieldAsync();
                }
                else
                {
                    return;
                }
            }
        }
        catch (Exception e)
        {
            HttpLog.ConnectionFailed(_server.Logger, e);
            Transport.Abort();
        }
        finally
        {
            ReturnExchange();
            Transport.Release(); // before Close, which then has nobody to wake
            if (!IsHijacked)
            {
                Transport.Dispose();
                End();
            }
        }
    }

    // Whoever listens to metrics and events may throw: that must not cost the descriptor.
    private void ReturnExchange()
    {
        try
        {
            _exchange?.Return();
            if (!IsHijacked)
                EndTelemetry();
        }
        catch (Exception e)
        {
            HttpLog.ConnectionFailed(_server.Logger, e);
        }
        _exchange = null;
    }

    private void End()
    {
        Report(ConnState.Closed);
        _server.Leave(Transport.Connection);
        _server.Remove(this);
    }

    private void BeginTelemetry()
    {
        if (Metrics is { TimesConnections: true })
            _openedAt = Now;
        if (HttpEventSource.Log.IsEnabled())
            HttpEventSource.Log.ConnectionStart(Id, Transport.RemoteEndPoint.ToString() ?? "");
    }

    // While there is a reference: the address is asked for.
    private void EndTelemetry()
    {
        if (_openedAt != 0)
            Metrics!.ConnectionEnded(Now - _openedAt, HttpMetrics.Describe(Transport));
        if (HttpEventSource.Log.IsEnabled())
            HttpEventSource.Log.ConnectionStop(Id);
    }

    private async ValueTask<bool> ShakeHandsAsync(TlsOptions options)
    {
        NetConnection connection = Transport.Connection!;
        var stream = new SslStream(connection.AsStream(ownsConnection: true));
        long deadline = Transport.Scheduler.TimeAfter(options.HandshakeTimeout);
        Transport.SetDeadline(PollMode.Read, deadline);
        Transport.SetDeadline(PollMode.Write, deadline);
        try
        {
            await stream.AuthenticateAsServerAsync(
                static (_, hello, state, _) => ValueTask.FromResult(((TlsOptions)state!).For(hello.ServerName)), options);
        }
        catch (Exception e)
        {
            // Whatever it is, it concerns this client only: what it sent, its certificate, or what a selector made of its name.
            HttpLog.HandshakeFailed(_server.Logger, e);
            await stream.DisposeAsync();
            return false;
        }
        var state = new TlsConnectionState(
            stream.SslProtocol, stream.NegotiatedCipherSuite, stream.TargetHostName, stream.NegotiatedApplicationProtocol.ToString(),
            stream.RemoteCertificate as X509Certificate2);
        Transport.SetDeadline(PollMode.Read, long.MaxValue);
        Transport.SetDeadline(PollMode.Write, long.MaxValue);
        Transport = new TlsTransport(connection, stream, state);
        return true;
    }

    /// <summary>Closes the connection if it waits for a request; after a while if for its first.</summary>
    public void CloseIfIdle()
    {
        int old = Interlocked.CompareExchange(ref _state, Closed, Idle);
        if (old == Idle)
        {
            Transport.Close();
        }
        else if (old == Fresh && Transport.TryAddReference())
        {
            Transport.SetDeadline(PollMode.Read, Now + FreshTimeout);
            Transport.Release();
        }
    }

    /// <summary>Closes the connection, whatever it is at.</summary>
    public void Close()
    {
        Transport.Close();
        Volatile.Read(ref _current)?.Cancel(new IOException("The server was closed."));
    }

    // ---- The context of a request ----

    /// <summary>Ends when the client goes away, when the server is closed, and by <see cref="EndContext"/>.</summary>
    public Context BeginContext()
    {
        CancelContext context = Context.WithCancel(Context);
        SetCurrent(context);
        Transport.WatchPeer(this);
        return context;
    }

    // The close sees it, or it sees the close.
    private void SetCurrent(CancelContext context)
    {
        Interlocked.Exchange(ref _current, context);
        if (_server.IsClosed)
            context.Cancel();
    }

    private void EndContext()
    {
        if (_current is not { } context)
            return;
        Transport.WatchPeer(null);
        Volatile.Write(ref _current, null);
        context.Dispose();
    }

    /// <summary>The client has gone away.</summary>
    void IThreadPoolWorkItem.Execute() => Volatile.Read(ref _current)?.Cancel(new IOException("The client has closed the connection."));

    /// <summary>Has been taken over by its handler: the server knows no more of it than that it is there until the stream is closed.</summary>
    public void BeHijackedBy(HijackedStream stream)
    {
        IsHijacked = true;
        NetConnection? connection = Transport.Connection;
        TagList tags = _openedAt != 0 ? HttpMetrics.Describe(Transport) : default;
        stream.OnClose(() =>
        {
            _server.LeaveHijacked(connection);
            if (_openedAt != 0)
                Metrics!.ConnectionEnded(Now - _openedAt, tags);
            if (HttpEventSource.Log.IsEnabled())
                HttpEventSource.Log.ConnectionStop(Id);
        });
        _server.RemoveHijacked(this);
        Report(ConnState.Hijacked);
    }

    public bool IsHijacked { get; private set; }

    private void Report(ConnState state)
    {
        if (_server.OnConnState is { } callback && Transport.Connection is { } connection)
            callback(connection, state);
    }

    private long Now => Transport.Scheduler.Now();

    private Step Advance()
    {
        Http1Exchange exchange = _exchange ??= RentExchange();
        while (true)
        {
            Step? step = _phase switch
            {
                Phase.Head => ReadHead(exchange),
                Phase.Handling => Handle(exchange),
                Phase.Draining => Drain(exchange),
                Phase.Sending => SendLast(exchange),
                _ => Linger(),
            };
            if (step is { } wait)
                return wait;
        }
    }

    private Http1Exchange RentExchange()
    {
        Http1Exchange exchange = Http1Exchange.Rent(this);
        exchange.Parser.EmptyLines = _emptyLines;
        return exchange;
    }

    // ---- Head ----

    private Step? ReadHead(Http1Exchange exchange)
    {
        while (true)
        {
            switch (exchange.ParseHead())
            {
                case RequestParser.Outcome.Complete:
                    exchange.BeginContent();
                    _phase = Phase.Handling;
                    return Machine.SpendBudget() ? Step.Yield : null; // a client may pipeline without end
                case RequestParser.Outcome.Refused:
                    Refuse(exchange, exchange.Parser.RefusalStatus, exchange.Parser.RefusalReason);
                    return null;
            }
            if (!exchange.TryTakeInputBuffer())
                return Step.AwaitBuffer;
            int n;
            try
            {
                n = exchange.FillHead();
            }
            catch (InsufficientMemoryException e)
            {
                RefuseForMemory(exchange, e);
                return null;
            }
            if (n > 0)
            {
                if (!exchange.Parser.InRequest && _server.OnConnState is not null)
                    ReportActive();
                continue;
            }
            if (n != SystemSockets.WouldBlock)
            {
                // The end, between requests or in the middle of one: nobody is left to be told.
                _phase = Phase.Sending;
                _discarded = MaxLinger;
                return null;
            }
            if (SendPending(exchange) is { } wait)
                return wait;
            return WaitForHead(exchange);
        }
    }

    private void ReportActive()
    {
        if (_reportedActive)
            return;
        _reportedActive = true;
        Report(ConnState.Active);
    }

    private Step WaitForHead(Http1Exchange exchange)
    {
        if (exchange.Parser.InRequest)
        {
            // The time for the head runs from its first byte, however many more trickle in.
            if (_headDeadline == 0)
                _headDeadline = Now + Limits.ReadHeaderTimeout;
            exchange.EndedAt = 0;
            Transport.SetDeadline(PollMode.Read, _headDeadline);
            return Step.AwaitRead;
        }
        _emptyLines = (byte)exchange.Parser.EmptyLines;
        long now = exchange.EndedAt != 0 ? exchange.EndedAt : Now;
        exchange.Return();
        _exchange = null;
        if (_reportedActive)
        {
            _reportedActive = false;
            Report(ConnState.Idle);
        }
        Transport.SetDeadline(PollMode.Read, now + (_hadRequest ? Limits.IdleTimeout : Math.Min(Limits.IdleTimeout, Limits.ReadHeaderTimeout)));
        Interlocked.Exchange(ref _state, _hadRequest ? Idle : Fresh);
        if (IsShuttingDown)
            CloseIfIdle();
        return Step.AwaitRead;
    }

    // After a wait to read. False when the connection is at its end.
    private bool Resume(PollResult result)
    {
        if (_exchange is null)
        {
            int waiting = _hadRequest ? Idle : Fresh;
            return result == PollResult.Ready && Interlocked.CompareExchange(ref _state, Active, waiting) == waiting;
        }
        if (_phase == Phase.Draining)
            _exchange.EndWaitForInput();
        if (result == PollResult.Ready)
            return true;
        if (result == PollResult.Timeout && _phase == Phase.Head)
        {
            Transport.SetDeadline(PollMode.Read, long.MaxValue);
            Refuse(_exchange, 408, "the head of the request did not come in time");
            return true;
        }
        return false;
    }

    // The request stays in the system's buffer meanwhile, and so do those after it: the client is slowed down. False when the server
    // has been closed.
    private async ValueTask<bool> WaitForBufferAsync(Http1Exchange exchange)
    {
        using CancelContext wait = Context.WithTimeout(Context.Background, TimeSpan.FromTicks(Limits.BufferTimeout / 100));
        SetCurrent(wait);
        try
        {
            await exchange.WaitForInputBufferAsync(wait.Token);
        }
        catch (OperationCanceledException e)
        {
            if (_server.IsClosed)
                return false;
            RefuseForMemory(exchange, e);
        }
        finally
        {
            Volatile.Write(ref _current, null);
        }
        return true;
    }

    private void RefuseForMemory(Http1Exchange exchange, Exception e)
    {
        _server.ReportOutOfBuffers(e);
        Refuse(exchange, 503, "the server is out of memory for requests");
    }

    private void Refuse(Http1Exchange exchange, int status, string reason)
    {
        HttpLog.RequestRefused(_server.Logger, status, reason);
        _server.Metrics?.Refused(status);
        if (HttpEventSource.Log.IsEnabled())
            HttpEventSource.Log.BadRequest(Id, status, reason);
        string text = $"{status} {StatusText.Of(status)}: {reason}\n";
        string date = Encoding.ASCII.GetString(DateField.Line);
        string server = Encoding.Latin1.GetString(ServerFieldLine);
        byte[] answer = Encoding.Latin1.GetBytes(
            $"HTTP/1.1 {status} {StatusText.Of(status)}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n{date}{server}" +
            $"Content-Length: {text.Length}\r\n\r\n{(exchange.BeginsWithHead ? "" : text)}");
        try
        {
            exchange.Output.Append(answer);
        }
        catch (InsufficientMemoryException)
        {
            // The system has a buffer for it yet, unless the client does not read. Then it gets what it was owed, and no more.
            if (exchange.Output.TrySend(Transport) == 0)
                _ = Transport.TryWrite(answer);
        }
        _phase = Phase.Sending;
        _discarded = 0;
    }

    // ---- Handling ----

    private Step? Handle(Http1Exchange exchange)
    {
        if (_handlerStarted)
            return Step.AwaitHandler;
        _headDeadline = 0;
        _hadRequest = true;
        exchange.Output.MarkAhead();
        exchange.Response.Begin();
        _handlerStarted = true;
        exchange.ContextBefore = ExecutionContext.Capture();
        if (_server.Metrics is { } metrics && RequestWatch.IsWanted(metrics))
            exchange.Watch.Begin(exchange, metrics);
        try
        {
            ValueTask handler = _server.Handler.ServeHttpAsync(exchange.Response, exchange.Request);
            if (!handler.IsCompletedSuccessfully)
            {
                _handler = handler;
                exchange.Output.SendAhead(Transport);
                return Step.AwaitHandler;
            }
            handler.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            _handlerError = e;
        }
        EndHandler();
        return null;
    }

    private void EndHandler()
    {
        Http1Exchange exchange = _exchange!;
        Exception? error = _handlerError;
        _handlerError = null;
        _handlerStarted = false;
        EndContext();
        int status = IsHijacked ? EndHijacked(exchange, error) : EndRequest(exchange, ref error);
        if (exchange.Watch.IsOn)
            EndWatch(exchange, status, error);
        // What the handler has left there, its activity or AsyncLocals of its own, is not for the next request.
        if (exchange.ContextBefore is { } context && ExecutionContext.Capture() != context)
            ExecutionContext.Restore(context);
    }

    private static void EndWatch(Http1Exchange exchange, int status, Exception? error)
    {
        if (error is BadRequestException)
            error = null; // the client's failure, and the status says so
        string? type = status < 0 ? RequestOutcome.Incomplete : null;
        exchange.Watch.End(exchange, exchange.Connection.Metrics!, new RequestOutcome(Math.Abs(status), error?.GetType().FullName ?? type), error);
    }

    private int EndHijacked(Http1Exchange exchange, Exception? error)
    {
        if (error is not null)
            HttpLog.HandlerFailed(_server.Logger, exchange.Request.Method, exchange.Request.Target, error);
        _phase = Phase.Sending;
        _discarded = MaxLinger;
        return exchange.Response.StatusCode == 101 ? 101 : 0;
    }

    // The status of the response, negative when that is not whole.
    private int EndRequest(Http1Exchange exchange, ref Exception? error)
    {
        Http1ResponseWriter response = exchange.Response;
        bool whole;
        try
        {
            whole = EndResponse(exchange, ref error);
        }
        catch (InsufficientMemoryException e) when (!response.Started)
        {
            error = e;
            response.Discard();
            RefuseForMemory(exchange, e);
            return 503;
        }
        catch (InsufficientMemoryException e)
        {
            error = e;
            _server.ReportOutOfBuffers(e);
            whole = false;
        }
        if (!whole)
        {
            // The peer must see that the response is not whole, whatever its framing.
            _ = exchange.Output.TrySend(Transport);
            exchange.Output.Clear();
            Transport.Abort();
            _phase = Phase.Sending;
            _discarded = MaxLinger;
            return -response.StatusCode;
        }
        _discarded = 0;
        _phase = Phase.Draining;
        return response.StatusCode;
    }

    private bool EndResponse(Http1Exchange exchange, ref Exception? error)
    {
        if (error is null)
        {
            try
            {
                return exchange.Response.End();
            }
            catch (Exception e)
            {
                error = e;
            }
        }
        if (error is InsufficientMemoryException)
            ExceptionDispatchInfo.Throw(error);
        return AnswerFailure(exchange, error);
    }

    private bool AnswerFailure(Http1Exchange exchange, Exception error)
    {
        if (error is BadRequestException bad)
        {
            HttpLog.RequestRefused(_server.Logger, bad.StatusCode, bad.Message);
            return exchange.Response.TryReplaceByError(bad.StatusCode, $"{bad.StatusCode} {StatusText.Of(bad.StatusCode)}: {bad.Message}\n", close: true);
        }
        if (error is not IOException)
            HttpLog.HandlerFailed(_server.Logger, exchange.Request.Method, exchange.Request.Target, error);
        return exchange.Response.TryReplaceByError(500, "500 Internal Server Error\n", close: false);
    }

    // ---- After the response ----

    private Step? Drain(Http1Exchange exchange)
    {
        RequestBody body = exchange.Request.RequestBody;
        if (exchange.Response.MustClose || body.HasFailed)
        {
            // With nothing left to read there is nothing to linger for. Content that went past the input buffer says nothing of what is
            // behind it.
            if (body.IsDone && exchange.HasReadAll)
                _discarded = MaxLinger;
            _phase = Phase.Sending;
            return null;
        }
        if (!body.IsDone && !TryDrain(exchange, body, out Step? wait))
            return wait;
        exchange.BeginRequest();
        _phase = Phase.Head;
        return exchange.Output.Pending > PendingOutputLimit ? SendPending(exchange) : null;
    }

    // False: wait, or (null) the phase has changed.
    private bool TryDrain(Http1Exchange exchange, RequestBody body, out Step? wait)
    {
        wait = null;
        Span<byte> scratch = stackalloc byte[4096];
        try
        {
            while (body.KnownRemaining + _discarded <= MaxDrain)
            {
                int n = body.TryRead(scratch);
                if (n == 0)
                    return true;
                if (n == SystemSockets.WouldBlock)
                {
                    wait = SendPending(exchange);
                    if (wait is null)
                    {
                        exchange.BeginWaitForInput();
                        wait = Step.AwaitRead;
                    }
                    return false;
                }
                _discarded += n;
            }
        }
        catch (IOException)
        {
            // Malformed or cut off: there is no next request on this connection.
        }
        _discarded = 0;
        _phase = Phase.Sending;
        return false;
    }

    private Step? SendPending(Http1Exchange exchange)
    {
        if (exchange.Output.IsEmpty)
            return null;
        int error = exchange.Output.TrySend(Transport);
        if (error == SystemSockets.WouldBlock)
            return Step.AwaitWrite;
        return error == 0 ? null : Step.End;
    }

    private Step? SendLast(Http1Exchange exchange)
    {
        if (SendPending(exchange) is { } wait)
            return wait;
        if (_discarded >= MaxLinger)
            return Step.End;
        Transport.CloseWrite();
        _phase = Phase.Linger;
        Transport.SetDeadline(PollMode.Read, Now + LingerTimeout);
        return null;
    }

    private Step? Linger()
    {
        Span<byte> scratch = stackalloc byte[4096];
        while (_discarded < MaxLinger)
        {
            int n = Transport.TryRead(scratch);
            if (n == SystemSockets.WouldBlock)
                return Step.AwaitRead;
            if (n <= 0)
                return Step.End;
            _discarded += n;
        }
        return Step.End;
    }
}
