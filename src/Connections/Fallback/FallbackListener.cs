using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>Accepts connections on a socket that listens.</summary>
internal sealed class FallbackListener : IConnectionListener
{
    private const int FirstBackOffMilliseconds = 5;
    private const int LastBackOffMilliseconds = 1000;

    private readonly Socket _socket;
    private readonly NetpollTransportOptions _options;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private int _backOff = FirstBackOffMilliseconds;

    /// <param name="socket">It is the listener's from now on.</param>
    /// <param name="options">Of its connections.</param>
    /// <param name="logger">Its, and its connections'.</param>
    public FallbackListener(Socket socket, NetpollTransportOptions options, ILogger logger)
    {
        _socket = socket;
        _options = options;
        _logger = logger;
        EndPoint = socket.LocalEndPoint!;
    }

    public EndPoint EndPoint { get; }

    /// <summary>Null when the listener has been unbound.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                Socket accepted = await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                Recover();
                TcpOptions.Apply(accepted, _options.NoDelay);
                return new FallbackConnection(accepted, _options.MaxWriteBufferSize, _logger);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_closing.IsCancellationRequested)
                    return null;
                // One connection's failure: the next may be well.
                if (e is SocketException { SocketErrorCode: not (SocketError.ConnectionAborted or SocketError.ConnectionReset) })
                    await BackOffAsync(e.Message, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Out of descriptors or memory, most often: the connection stays in the backlog until some are freed.
    private async ValueTask BackOffAsync(string error, CancellationToken cancellationToken)
    {
        if (_backOff == FirstBackOffMilliseconds)
            NetpollLog.AcceptExhausted(_logger, EndPoint, error);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        await Task.Delay(_backOff, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        _backOff = Math.Min(_backOff * 2, LastBackOffMilliseconds);
    }

    private void Recover()
    {
        if (_backOff == FirstBackOffMilliseconds)
            return;
        _backOff = FirstBackOffMilliseconds;
        NetpollLog.AcceptRecovered(_logger, EndPoint);
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _closing.Cancel();
        _socket.Dispose();
        return default;
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
