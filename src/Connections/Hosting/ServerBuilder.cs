using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Connections;

/// <summary>Says where a <see cref="Server"/> listens and what it does with a connection: connection handlers and middleware of ASP.NET Core without
/// Kestrel. In the shape of Bedrock.Framework's. Not thread-safe.</summary>
/// <example><code>
/// Server server = new ServerBuilder()
///     .Listen(new IPEndPoint(IPAddress.Loopback, 5000), connection => connection.UseConnectionHandler&lt;EchoHandler&gt;())
///     .Build();
/// await server.StartAsync();
/// </code></example>
/// <param name="applicationServices">Where handlers and middleware have their services from; of these the server itself uses
/// <see cref="ILoggerFactory"/>. Null for none.</param>
public sealed class ServerBuilder(IServiceProvider? applicationServices = null)
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(int.MaxValue); // that timers take everywhere

    private readonly List<ServerBinding> _bindings = [];
    private int? _maxConnections;
    private TimeSpan _shutdownTimeout = TimeSpan.FromSeconds(5);
    private TimeSpan _heartbeatInterval = TimeSpan.FromSeconds(1);

    /// <summary>The services; without any, one that has none.</summary>
    public IServiceProvider ApplicationServices { get; } = applicationServices ?? EmptyServiceProvider.Instance;

    /// <summary>The transport of the end points that name none. <see cref="NetpollTransportFactory"/> unless it is set.</summary>
    public IConnectionListenerFactory? ListenerFactory { get; set; }

    /// <summary>The most connections at once, on all end points together; one beyond it is accepted and reset at once. Null, the default: as
    /// many as come.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public int? MaxConnections
    {
        get => _maxConnections;
        set
        {
            if (value is { } count)
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(value));
            _maxConnections = value;
        }
    }

    /// <summary>For how long a server that stops waits for its connections to end, before it aborts them. 5 s by default;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for as long as the token of <see cref="Server.StopAsync"/> allows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or more than <see cref="int.MaxValue"/> ms.</exception>
    public TimeSpan ShutdownTimeout
    {
        get => _shutdownTimeout;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longest);
            }
            _shutdownTimeout = value;
        }
    }

    /// <summary>How often those are called who have asked a connection's IConnectionHeartbeatFeature for it, as SignalR does for its pings. 1 s
    /// by default, as in Kestrel.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 ms, or more than <see cref="int.MaxValue"/> ms.</exception>
    public TimeSpan HeartbeatInterval
    {
        get => _heartbeatInterval;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longest);
            _heartbeatInterval = value;
        }
    }

    internal IReadOnlyList<ServerBinding> Bindings => _bindings;

    internal ILoggerFactory LoggerFactory =>
        (ILoggerFactory?)ApplicationServices.GetService(typeof(ILoggerFactory)) ?? NullLoggerFactory.Instance;

    /// <summary>Listens on NetGo's pollers with other options than the defaults, at the end points that name no transport.</summary>
    /// <param name="configure">Sets them.</param>
    public ServerBuilder UseNetpoll(Action<NetpollTransportOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new NetpollTransportOptions();
        configure(options);
        return UseTransport(new NetpollTransportFactory(options, LoggerFactory));
    }

    /// <summary>Sets <see cref="ListenerFactory"/>, wherever it is called among the end points.</summary>
    /// <param name="factory">ASP.NET Core's SocketTransportFactory, for example, or one of a package.</param>
    public ServerBuilder UseTransport(IConnectionListenerFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ListenerFactory = factory;
        return this;
    }

    /// <summary>Adds an end point.</summary>
    /// <param name="endPoint">Of a kind that the transport knows. With port 0 see <see cref="Server.EndPoints"/>.</param>
    /// <param name="configure">Says what is done with its connections: <c>UseConnectionHandler&lt;T&gt;()</c> or <c>Run(...)</c>, and middleware before it.
    /// Called at once.</param>
    public ServerBuilder Listen(EndPoint endPoint, Action<IConnectionBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return Listen([endPoint], null, configure);
    }

    /// <summary>Adds an end point of a transport of its own.</summary>
    /// <param name="endPoint">Of a kind that the transport knows.</param>
    /// <param name="factory">The transport.</param>
    /// <param name="configure">As of <see cref="Listen(EndPoint, Action{IConnectionBuilder})"/>.</param>
    public ServerBuilder Listen(EndPoint endPoint, IConnectionListenerFactory factory, Action<IConnectionBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(factory);
        return Listen([endPoint], factory, configure);
    }

    /// <summary>Adds a port of 127.0.0.1 and of ::1. Where the system has only one of them, it is that one.</summary>
    /// <param name="port">Not 0: it would be two different ones.</param>
    /// <param name="configure">As of <see cref="Listen(EndPoint, Action{IConnectionBuilder})"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">No port, or 0.</exception>
    public ServerBuilder ListenLocalhost(int port, Action<IConnectionBuilder> configure)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(port);
        return Listen([new IPEndPoint(IPAddress.Loopback, port), new IPEndPoint(IPAddress.IPv6Loopback, port)], null, configure);
    }

    private ServerBuilder Listen(EndPoint[] endPoints, IConnectionListenerFactory? factory, Action<IConnectionBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var connection = new ConnectionBuilder(ApplicationServices);
        configure(connection);
        _bindings.Add(new ServerBinding(endPoints, factory, connection.Build()));
        return this;
    }

    /// <summary>Makes the server, which does not listen yet. What is set here later is not for it.</summary>
    public Server Build() => new(this);
}
