using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Connections;

/// <summary>Says with what transport and through what middleware a <see cref="Client"/> connects. In the shape of Bedrock.Framework's. Not
/// thread-safe.</summary>
/// <param name="applicationServices">Where middleware has its services from; of these the client itself uses <see cref="ILoggerFactory"/>. Null
/// for none.</param>
public sealed class ClientBuilder(IServiceProvider? applicationServices = null) : IConnectionBuilder
{
    private readonly List<Func<ConnectionDelegate, ConnectionDelegate>> _middleware = [];
    private IConnectionFactory? _factory;

    /// <summary>The services; without any, one that has none.</summary>
    public IServiceProvider ApplicationServices { get; } = applicationServices ?? EmptyServiceProvider.Instance;

    private ILoggerFactory LoggerFactory =>
        (ILoggerFactory?)ApplicationServices.GetService(typeof(ILoggerFactory)) ?? NullLoggerFactory.Instance;

    /// <summary>Connects by this transport. <see cref="NetpollConnectionFactory"/> unless it is called.</summary>
    /// <param name="factory">The transport.</param>
    public ClientBuilder UseConnectionFactory(IConnectionFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _factory = factory;
        return this;
    }

    /// <summary>Connects by NetGo's pollers with other options than the defaults.</summary>
    /// <param name="configure">Sets them.</param>
    public ClientBuilder UseNetpoll(Action<NetpollTransportOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new NetpollTransportOptions();
        configure(options);
        return UseConnectionFactory(new NetpollConnectionFactory(options, LoggerFactory));
    }

    /// <summary>Puts something around the transport: a pool, a cache of addresses.</summary>
    /// <param name="decorate">Makes it of the one that there is.</param>
    public ClientBuilder Use(Func<IConnectionFactory, IConnectionFactory> decorate)
    {
        ArgumentNullException.ThrowIfNull(decorate);
        return UseConnectionFactory(decorate(Factory));
    }

    /// <summary>Adds middleware; the first is outermost. It runs for each connection: see <see cref="Client.ConnectAsync"/>.</summary>
    /// <param name="middleware">Makes a delegate of the next one.</param>
    public ClientBuilder Use(Func<ConnectionDelegate, ConnectionDelegate> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        _middleware.Add(middleware);
        return this;
    }

    /// <summary>Makes the client.</summary>
    public Client Build() =>
        new(Factory, _middleware.Count > 0 ? ((IConnectionBuilder)this).Build() : null, LoggerFactory.CreateLogger<Client>());

    private IConnectionFactory Factory => _factory ?? new NetpollConnectionFactory(null, LoggerFactory);

    IConnectionBuilder IConnectionBuilder.Use(Func<ConnectionDelegate, ConnectionDelegate> middleware) => Use(middleware);

    ConnectionDelegate IConnectionBuilder.Build()
    {
        var builder = new ConnectionBuilder(ApplicationServices);
        foreach (Func<ConnectionDelegate, ConnectionDelegate> middleware in _middleware)
            builder.Use(middleware);
        builder.Use(static _ => ClientConnection.ReachedAsync); // innermost
        return builder.Build();
    }
}
