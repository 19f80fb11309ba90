using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>Opens connections on NetGo's pollers for whatever is written for ASP.NET Core's transports.</summary>
/// <param name="options">Null for the defaults. Of these, <see cref="NetpollTransportOptions.NoDelay"/>,
/// <see cref="NetpollTransportOptions.MaxDeferredBytes"/> and <see cref="NetpollTransportOptions.Scheduler"/> count.</param>
/// <param name="loggerFactory">Null to log nothing.</param>
public sealed class NetpollConnectionFactory(NetpollTransportOptions? options = null, ILoggerFactory? loggerFactory = null) : IConnectionFactory
{
    private readonly NetpollTransportOptions _options = options ?? new NetpollTransportOptions();
    private readonly ILogger _logger = loggerFactory?.CreateLogger(NetpollTransportFactory.LogCategory) ?? NullLogger.Instance;

    /// <summary>Connects to an end point.</summary>
    /// <param name="endpoint">An <see cref="IPEndPoint"/>, a <see cref="DnsEndPoint"/>, whose addresses are tried by RFC 8305, or a
    /// <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SocketException">Nobody listens there, or it cannot be reached.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var dialer = new NetDialer { NoDelay = _options.NoDelay, Scheduler = _options.Scheduler ?? GoScheduler.Current };
        return new NetpollConnection(await dialer.DialAsync(endpoint, cancellationToken).ConfigureAwait(false), _options, _logger);
    }
}
