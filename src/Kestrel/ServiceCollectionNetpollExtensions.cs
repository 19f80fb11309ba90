using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NetGo.Connections;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>NetGo's transport among a host's services.</summary>
public static class ServiceCollectionNetpollExtensions
{
    /// <summary>As <see cref="WebHostBuilderNetpollExtensions.UseNetpoll"/>, where there are only the services: adds an <see cref="IConnectionListenerFactory"/>, which Kestrel
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
