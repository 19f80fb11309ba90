using Microsoft.Extensions.Hosting;
using NetGo.Connections;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a server of connection handlers to a host.</summary>
public static class ServiceCollectionConnectionServerExtensions
{
    /// <summary>Adds a <see cref="Server"/>, which starts and stops with the host. Called again, it adds another; each is a service.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Adds the end points. Called when the host starts; <see cref="ServerBuilder.ApplicationServices"/> are the host's.</param>
    /// <example><code>
    /// var builder = Host.CreateApplicationBuilder(args);
    /// builder.Services.AddConnectionServer(server =>
    ///     server.ListenLocalhost(5000, connection => connection.UseConnectionHandler&lt;EchoHandler&gt;()));
    /// builder.Build().Run();
    /// </code></example>
    public static IServiceCollection AddConnectionServer(this IServiceCollection services, Action<ServerBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        object key = new(); // the hosted service's own server, and not the last one that was added
        services.AddKeyedSingleton(key, (provider, _) =>
        {
            var builder = new ServerBuilder(provider);
            configure(builder);
            return builder.Build();
        });
        services.AddSingleton(provider => provider.GetRequiredKeyedService<Server>(key));
        services.AddSingleton<IHostedService>(provider => new ServerHostedService(provider.GetRequiredKeyedService<Server>(key)));
        return services;
    }
}
