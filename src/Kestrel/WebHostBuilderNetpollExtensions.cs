using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NetGo.Connections;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Kestrel on NetGo.</summary>
public static class WebHostBuilderNetpollExtensions
{
    /// <summary>Has Kestrel take its connections from NetGo's pollers and run what they ask for on NetGo's scheduler, inline, instead of from its own
    /// sockets transport. End points that NetGo does not know (named pipes) stay with the transports that do.</summary>
    /// <param name="builder">A WebApplicationBuilder's <c>WebHost</c>, for example. The order of this and UseKestrel does not matter.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    public static IWebHostBuilder UseNetpoll(this IWebHostBuilder builder, Action<NetpollTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(services => services.AddNetpollTransport(configure));
    }

    /// <summary>As <see cref="UseNetpoll"/>, where there are only the services: adds an <see cref="IConnectionListenerFactory"/>, which Kestrel
    /// asks before those that were there, and an <see cref="IConnectionFactory"/>.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    public static IServiceCollection AddNetpollTransport(this IServiceCollection services, Action<NetpollTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions();
        if (configure is not null)
            services.Configure(configure);
        services.AddSingleton<IConnectionListenerFactory>(static provider => new NetpollTransportFactory(
            provider.GetRequiredService<IOptions<NetpollTransportOptions>>().Value, provider.GetService<ILoggerFactory>()));
        services.TryAddSingleton<IConnectionFactory>(static provider => new NetpollConnectionFactory(
            provider.GetRequiredService<IOptions<NetpollTransportOptions>>().Value, provider.GetService<ILoggerFactory>()));
        return services;
    }
}
