using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections;

/// <summary>Opens connections that have gone through middleware: what the server has for those that it accepts. Made by <see cref="ClientBuilder"/>.
/// All members may be used from any thread.</summary>
public sealed class Client : IConnectionFactory
{
    private readonly IConnectionFactory _factory;
    private readonly ConnectionDelegate? _pipeline;
    private readonly ILogger _logger;

    internal Client(IConnectionFactory factory, ConnectionDelegate? pipeline, ILogger logger)
    {
        _factory = factory;
        _pipeline = pipeline;
        _logger = logger;
    }

    /// <summary>Connects, and lets each middleware run up to its call of the next one. What it does after that call it does when the connection is
    /// disposed of.</summary>
    /// <param name="endpoint">Of a kind that the transport knows.</param>
    /// <param name="cancellationToken">Ends the attempt, also while a middleware runs: the connection is aborted then.</param>
    /// <exception cref="InvalidOperationException">A middleware has ended without calling the next one.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ConnectionContext transport = await _factory.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
        if (_pipeline is null)
            return transport;
        var connection = new ClientConnection(transport, _logger);
        await connection.OpenAsync(_pipeline, cancellationToken).ConfigureAwait(false);
        return connection;
    }
}
