using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>Opens connections on NetGo's pollers for whatever is written for ASP.NET Core's transports; where no poller works, over
/// System.Net.Sockets (<see cref="NetpollTransportOptions.Fallback"/>).</summary>
/// <param name="options">Null for the defaults. Of these, <see cref="NetpollTransportOptions.NoDelay"/>,
/// <see cref="NetpollTransportOptions.MaxDeferredBytes"/>, <see cref="NetpollTransportOptions.Scheduler"/> and
/// <see cref="NetpollTransportOptions.Fallback"/> count, and with the fallback <see cref="NetpollTransportOptions.MaxWriteBufferSize"/>.</param>
/// <param name="loggerFactory">Null to log nothing.</param>
public sealed class NetpollConnectionFactory(NetpollTransportOptions? options = null, ILoggerFactory? loggerFactory = null) : IConnectionFactory
{
    private readonly NetpollTransportOptions _options = options ?? new NetpollTransportOptions();
    private readonly ILogger _logger = loggerFactory?.CreateLogger(NetpollTransportFactory.LogCategory) ?? NullLogger.Instance;
    private TransportSelection? _selection;

    private TransportSelection Selection => LazyInitializer.EnsureInitialized(ref _selection, () => new TransportSelection(_options, _logger));

    /// <summary>Connects to an end point.</summary>
    /// <param name="endpoint">An <see cref="IPEndPoint"/>, a <see cref="DnsEndPoint"/>, whose addresses are tried by RFC 8305, or a
    /// <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SocketException">Nobody listens there, or it cannot be reached.</exception>
    /// <exception cref="ArgumentException">It is another kind of end point.</exception>
    /// <exception cref="FormatException"><c>NETGO_POLLER</c> names no poller.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        if (Selection.UsesFallback())
        {
            Socket socket = await FallbackDialer.ConnectAsync(endpoint, _options.NoDelay, cancellationToken).ConfigureAwait(false);
            return new FallbackConnection(socket, _options.MaxWriteBufferSize, _logger);
        }
        var dialer = new NetDialer { NoDelay = _options.NoDelay, Scheduler = _options.Scheduler ?? GoScheduler.Current };
        return new NetpollConnection(await dialer.DialAsync(endpoint, cancellationToken).ConfigureAwait(false), _options, _logger);
    }
}
