using System.Net;

namespace NetGo.Http;

// The content of the client's request as that of the backend's. HttpClient asks for it on whatever thread its connection was made; it is read
// by a goroutine of its own, while that of the handler waits for the response: only one of them touches the request at a time.
internal sealed class ProxiedContent(Stream body, long length, GoScheduler scheduler, ProxyDeadline deadline) : HttpContent
{
    private readonly Lock _lock = new();
    private Task? _copying;
    private bool _ended;

    /// <summary>Why it could not be read; null when it could.</summary>
    public Exception? ClientFailure { get; private set; }

    /// <summary>Waits until nobody reads the request any more. The deadline's token has been cancelled, or the backend has answered.</summary>
    public async ValueTask EndAsync()
    {
        Task? copying;
        lock (_lock)
        {
            _ended = true;
            copying = _copying;
        }
        if (copying is not null)
            await copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return length >= 0;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // RFC 9110, section 9.2.2: what may have been done already is not asked for again.
            if (_ended || _copying is not null)
                throw new InvalidOperationException("The content of a request can be sent only once.");
            return _copying = length == 0 ? Task.CompletedTask : scheduler.RunAsync(() => CopyAsync(stream));
        }
    }

    private async Task CopyAsync(Stream stream)
    {
        int size = length < 0 ? BufferPool.LargeSize : (int)Math.Min(length, BufferPool.LargeSize);
        using NetBuffer buffer = await scheduler.Buffers.RentAsync(size, deadline.Token);
        int n;
        while ((n = await ReadAsync(stream, buffer.Memory)) > 0)
        {
            deadline.Start();
            await stream.WriteAsync(buffer.Memory[..n], deadline.Token);
        }
        deadline.Start();
    }

    private async ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer)
    {
        ValueTask<int> read = body.ReadAsync(buffer, deadline.Token);
        if (read.IsCompletedSuccessfully)
            return read.Result;
        Task<int> pending = read.AsTask();
        deadline.Stop(); // it is the client that is waited for
        try
        {
            await stream.FlushAsync(deadline.Token); // what has come is not held back
        }
        catch
        {
            deadline.Cancel();
            await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            throw;
        }
        try
        {
            return await pending;
        }
        catch (Exception e) when (!deadline.Token.IsCancellationRequested)
        {
            ClientFailure = e;
            throw;
        }
    }
}
