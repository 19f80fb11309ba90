using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace NetGo.Http;

/// <summary>Registers what a hosted server answers with. Returned by AddNetGo; all calls may be chained.</summary>
public sealed class NetGoBuilder
{
    private readonly List<(string Pattern, Func<IServiceProvider, IHandler> Make)> _routes = [];
    private readonly List<Func<IServiceProvider, IHandler, IHandler>> _middleware = [];
    private readonly List<Action<Server>> _configurations = [];
    private readonly ServeMux _patterns = new(); // only to find the bad ones where they are written

    internal NetGoBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services of the host.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Registers a function for a pattern; Go's HandleFunc.</summary>
    /// <param name="pattern">As of <see cref="ServeMux"/>, for example "GET /users/{id}".</param>
    /// <param name="function">What answers the requests that match.</param>
    /// <exception cref="FormatException">The pattern is malformed: the message says where.</exception>
    /// <exception cref="InvalidOperationException">It conflicts with a pattern that is registered.</exception>
    public NetGoBuilder Handle(string pattern, Func<ResponseWriter, Request, ValueTask> function) =>
        Handle(pattern, new HandlerFunc(function));

    /// <summary>Registers a handler for a pattern; Go's Handle.</summary>
    /// <param name="pattern">As of <see cref="ServeMux"/>, for example "GET /users/{id}".</param>
    /// <param name="handler">Who answers the requests that match.</param>
    /// <inheritdoc cref="Handle(string, Func{ResponseWriter, Request, ValueTask})" path="/exception"/>
    public NetGoBuilder Handle(string pattern, IHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(pattern, _ => handler);
    }

    /// <summary>Registers a handler that comes from the services: a singleton, made when the host starts, unless it is
    /// registered otherwise.
    /// For one that is scoped or transient each request has a scope, which ends with the request.</summary>
    /// <typeparam name="THandler">Its type, which need not be registered.</typeparam>
    /// <param name="pattern">As of <see cref="ServeMux"/>, for example "GET /users/{id}".</param>
    /// <inheritdoc cref="Handle(string, Func{ResponseWriter, Request, ValueTask})" path="/exception"/>
    public NetGoBuilder Handle<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(string pattern)
        where THandler : class, IHandler
    {
        Add(pattern, services => LifetimeOf(typeof(THandler)) == ServiceLifetime.Singleton
            ? services.GetRequiredService<THandler>()
            : new ScopedHandler<THandler>(services.GetRequiredService<IServiceScopeFactory>()));
        Services.TryAddSingleton<THandler>();
        return this;
    }

    /// <summary>Puts middleware around all handlers. What is registered first is outermost.</summary>
    /// <param name="middleware">For example <c>handler => handler.WithCompression()</c>.</param>
    public NetGoBuilder Use(Func<IHandler, IHandler> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        return Use((_, handler) => middleware(handler));
    }

    /// <summary>Puts middleware that needs services around all handlers. What is registered first is outermost.</summary>
    /// <param name="middleware">For example <c>(services, handler) =>
    /// handler.WithRecovery(services.GetRequiredService&lt;ILogger&lt;Server>>())</c>.
    /// </param>
    public NetGoBuilder Use(Func<IServiceProvider, IHandler, IHandler> middleware)
    {
        ArgumentNullException.ThrowIfNull(middleware);
        _middleware.Add(middleware);
        return this;
    }

    /// <summary>Sets what options cannot, such as <see cref="Server.ConnContext"/>. Called when the host starts, after the
    /// options have
    /// been applied.</summary>
    /// <param name="configure">Sets it.</param>
    public NetGoBuilder ConfigureServer(Action<Server> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        _configurations.Add(configure);
        return this;
    }

    private NetGoBuilder Add(string pattern, Func<IServiceProvider, IHandler> make)
    {
        _patterns.HandleFunc(pattern, static (_, _) => default);
        _routes.Add((pattern, make));
        return this;
    }

    // The registration that the container uses is the last.
    private ServiceLifetime LifetimeOf(Type type) => Services.Last(s => s.ServiceType == type && !s.IsKeyedService).Lifetime;

    internal IHandler BuildHandler(IServiceProvider services)
    {
        IHandler handler = BuildRoutes(services);
        for (int i = _middleware.Count - 1; i >= 0; i--)
            handler = _middleware[i](services, handler);
        return handler;
    }

    private IHandler BuildRoutes(IServiceProvider services)
    {
        if (_routes.Count == 0 && services.GetService<IHandler>() is { } own)
            return own;
        var mux = new ServeMux();
        foreach ((string pattern, Func<IServiceProvider, IHandler> make) in _routes)
            mux.Handle(pattern, make(services));
        return mux;
    }

    internal void Configure(Server server)
    {
        foreach (Action<Server> configure in _configurations)
            configure(server);
    }
}
