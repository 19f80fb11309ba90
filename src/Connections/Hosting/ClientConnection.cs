using System.IO.Pipelines;
using System.Net;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections;

// A connection that has gone through a client's middleware. A pipeline runs from its beginning to its end and gives nothing back, so the
// connection is handed out from within it:
//
//   OpenAsync       starts it and waits until the innermost delegate (ReachedAsync) has been called
//   in use          the innermost delegate waits
//   DisposeAsync    lets it end, so that each middleware does what it does at the end, and then disposes of the transport's connection
internal sealed class ClientConnection(ConnectionContext transport, ILogger logger) : ConnectionContext
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConnectionContext? _innermost;
    private Task _pipeline = Task.CompletedTask;
    private int _disposed;

    private ConnectionContext Innermost => _innermost ?? transport;

    /// <summary>The innermost delegate of all clients' pipelines.</summary>
    public static Task ReachedAsync(ConnectionContext innermost)
    {
        ClientConnection connection = innermost.Features.Get<ClientConnection>()
            ?? throw new InvalidOperationException("A middleware that replaces a client's connection has to keep its features.");
        connection._innermost = innermost;
        connection._reached.TrySetResult();
        return connection._released.Task;
    }

    public async Task OpenAsync(ConnectionDelegate pipeline, CancellationToken cancellationToken)
    {
        transport.Features.Set(this);
        _pipeline = RunAsync(pipeline);
        Exception? failure = null;
        using (cancellationToken.UnsafeRegister(static connection => ((ClientConnection)connection!).Cancel(), this))
            await Task.WhenAny(_reached.Task, _pipeline).ConfigureAwait(false);
        if (_reached.Task.IsCompleted && !cancellationToken.IsCancellationRequested)
            return;
        _released.TrySetResult();
        try
        {
            await _pipeline.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
        }
        await transport.DisposeAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        throw new InvalidOperationException("A middleware has ended without calling the next one.");
    }

    // It may throw before it is a task.
    private async Task RunAsync(ConnectionDelegate pipeline) => await pipeline(transport).ConfigureAwait(false);

    private void Cancel() => transport.Abort(new ConnectionAbortedException("The attempt to connect was cancelled."));

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await EndAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask EndAsync()
    {
        _released.TrySetResult();
        try
        {
            await _pipeline.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ServerLog.CallbackFailed(logger, ConnectionId, e);
        }
        await transport.DisposeAsync().ConfigureAwait(false);
    }

    // ---- As the innermost delegate has got it ----

    public override string ConnectionId
    {
        get => Innermost.ConnectionId;
        set => Innermost.ConnectionId = value;
    }

    public override IFeatureCollection Features => Innermost.Features;

    public override IDictionary<object, object?> Items
    {
        get => Innermost.Items;
        set => Innermost.Items = value;
    }

    public override IDuplexPipe Transport
    {
        get => Innermost.Transport;
        set => Innermost.Transport = value;
    }

    public override EndPoint? LocalEndPoint
    {
        get => Innermost.LocalEndPoint;
        set => Innermost.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => Innermost.RemoteEndPoint;
        set => Innermost.RemoteEndPoint = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => Innermost.ConnectionClosed;
        set => Innermost.ConnectionClosed = value;
    }

    public override void Abort(ConnectionAbortedException abortReason) => Innermost.Abort(abortReason);

    public override void Abort() => Innermost.Abort();
}
