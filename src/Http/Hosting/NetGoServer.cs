using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>The server that a host runs. A singleton: ask for it to know where it listens.</summary>
public sealed class NetGoServer : IHostedService, IDisposable
{
    private static readonly TimeSpan s_graceAfterClose = TimeSpan.FromSeconds(1);

    private readonly IServiceProvider _services;
    private readonly NetGoBuilder _builder;
    private readonly ILogger _logger;
    private Server? _server;
    private NetListener[] _listeners = [];

    internal NetGoServer(IServiceProvider services, NetGoBuilder builder)
    {
        _services = services;
        _builder = builder;
        _logger = services.GetService<ILoggerFactory>()?.CreateLogger<Server>() ?? NullLogger<Server>.Instance;
    }

    /// <summary>The addresses on which it listens, in the order of <see cref="NetGoOptions.Endpoints"/>, with the ports that the
    /// system chose
    /// where 0 was asked for. Empty before the host has started.</summary>
    public IReadOnlyList<EndPoint> Endpoints => Array.ConvertAll(_listeners, static l => l.LocalEndPoint);

    /// <summary>The number of connections that are open.</summary>
    public int ConnectionCount => _server?.ConnectionCount ?? 0;

    /// <summary>Listens on all addresses. Called by the host.</summary>
    /// <exception cref="OptionsValidationException">An option is out of range, or a certificate cannot be read.</exception>
    /// <exception cref="IOException">It cannot listen on an address, most often because it is in use.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        NetGoOptions options = _services.GetRequiredService<IOptions<NetGoOptions>>().Value;
        var server = new Server
        {
            Logger = _logger,
            Handler = _builder.BuildHandler(_services),
            MeterFactory = _services.GetService<IMeterFactory>(),
        };
        options.ApplyTo(server);
        _builder.Configure(server);
        NetGoEndpoint[] endpoints = options.Endpoints.Count > 0 ? [.. options.Endpoints] : [new() { Address = server.Address }];
        TlsOptions?[] certificates = [.. endpoints.Select(ReadCertificate)];
        server.ReadProperties();
        _listeners = ListenOnAll(endpoints);
        _server = server;
        for (int i = 0; i < _listeners.Length; i++)
        {
            Task serving = certificates[i] is { } tls
                ? server.ServeTlsAsync(_listeners[i], tls, CancellationToken.None) // the token is of the start
                : server.ServeAsync(_listeners[i], CancellationToken.None);
            if (serving.IsFaulted)
                await serving;
            _ = WatchAsync(serving, _listeners[i]);
        }
    }

    private static TlsOptions? ReadCertificate(NetGoEndpoint endpoint, int index)
    {
        try
        {
            return endpoint.ToTls();
        }
        catch (Exception e) when (e is IOException or CryptographicException or UnauthorizedAccessException)
        {
            string message = $"Endpoints[{index}]: the certificate or its key cannot be read: {e.Message}";
            throw new OptionsValidationException(Options.DefaultName, typeof(NetGoOptions), [message]);
        }
    }

    private NetListener[] ListenOnAll(NetGoEndpoint[] endpoints)
    {
        var listeners = new List<NetListener>();
        foreach (NetGoEndpoint endpoint in endpoints)
        {
            try
            {
                listeners.Add(NetListener.Listen(endpoint.Address, new ListenOptions { Logger = _logger }));
            }
            catch (Exception e)
            {
                foreach (NetListener listener in listeners)
                    listener.Close();
                if (e is SocketException or PlatformNotSupportedException)
                    throw new IOException($"NetGo cannot listen on \"{endpoint.Address}\": {e.Message}", e);
                throw;
            }
        }
        return [.. listeners];
    }

    // A service that answers on some of its addresses only is worse than one that is started again.
    private async Task WatchAsync(Task serving, NetListener listener)
    {
        try
        {
            await serving.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            HostingLog.ServingFailed(_logger, listener.LocalEndPoint, e);
            _services.GetService<IHostApplicationLifetime>()?.StopApplication();
        }
    }

    /// <summary>Stops accepting and waits for the requests that are under way to end; see <see cref="Server.ShutdownAsync"/>.
    /// Called by the
    /// host.</summary>
    /// <param name="cancellationToken">Ends the wait: the rest is closed, and its handlers' contexts end.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is not { } server)
            return;
        try
        {
            await server.ShutdownAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            HostingLog.ShutdownCutShort(_logger, server.ConnectionCount);
            await CloseAsync(server).ConfigureAwait(false);
        }
    }

    // What handlers use is disposed of after this: those that heed their contexts have ended by then.
    private static async Task CloseAsync(Server server)
    {
        try
        {
            await server.DisposeAsync().AsTask().WaitAsync(s_graceAfterClose).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // There is one that does not.
        }
    }

    /// <summary>Closes what <see cref="StopAsync"/> has not.</summary>
    public void Dispose()
    {
        _server?.Close();
        foreach (NetListener listener in _listeners)
            listener.Close();
    }
}
