using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>Copies both ways between the client and the backend after they have switched to another protocol.</summary>
/// <param name="client">The client's stream.</param>
/// <param name="clientSocket">What to half-close the client by; null when that cannot be.</param>
/// <param name="backend">The backend's stream.</param>
/// <param name="backendSocket">What to write to and half-close the backend by, which goes on when its stream has been read to the end; null when
/// that cannot be.</param>
internal sealed class ProxyTunnel(Stream client, NetConnection? clientSocket, Stream backend, NetConnection? backendSocket)
{
    private readonly Stream _toBackend = backendSocket?.AsStream() ?? backend;

    /// <summary>Runs until both sides have ended their streams. One that fails, or that ends where the other side cannot be told that without
    /// closing it (TLS), ends both.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        Task<bool> up = Go.RunAsync(() => CopyAsync(client, _toBackend, backendSocket));
        Task<bool> down = Go.RunAsync(() => CopyAsync(backend, client, clientSocket));
        using (cancellationToken.UnsafeRegister(static tunnel => ((ProxyTunnel)tunnel!).Close(), this))
        {
            bool goesOn = await await Task.WhenAny(up, down);
            if (goesOn)
                await Task.WhenAll(up, down);
            Close();
            await Task.WhenAll(up, down);
        }
    }

    private void Close()
    {
        client.Dispose();
        _toBackend.Dispose();
        backend.Dispose();
    }

    // Whether the other direction may go on.
    private static async Task<bool> CopyAsync(Stream from, Stream to, NetConnection? toSocket)
    {
        try
        {
            while (true)
            {
                ValueTask<int> ready = from.ReadAsync(Memory<byte>.Empty);
                await ready; // an idle tunnel holds no buffers
                using NetBuffer buffer = await GoScheduler.Current.Buffers.RentAsync(BufferPool.LargeSize);
                int n = await from.ReadAsync(buffer.Memory);
                if (n == 0)
                {
                    toSocket?.CloseWrite();
                    return toSocket is not null;
                }
                await to.WriteAsync(buffer.Memory[..n]);
                await to.FlushAsync();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InsufficientMemoryException)
        {
            return false; // whoever it was, the other side learns it by the close
        }
    }
}
