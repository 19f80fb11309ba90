using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansCluster;

/// <summary>Orleans on NetGo. Nothing here knows a type of Orleans'.</summary>
internal static class NetpollTransportExtensions
{
    /// <summary>Has a silo or a client of Orleans take its connections from NetGo: to be called in the delegate of UseOrleans or UseOrleansClient. Orleans
    /// has a factory for each of its uses (among silos, the gateway, clients) under keys that are its own, so what is
    /// there is replaced, whatever its key.</summary>
    /// <exception cref="InvalidOperationException">There is nothing to replace: Orleans is not there yet, or has other ways by now.</exception>
    public static void UseNetpoll(this IServiceCollection services)
    {
        services.AddSingleton<CountedTransport>();
        int replaced = 0;
        for (int i = 0; i < services.Count; i++)
        {
            ServiceDescriptor descriptor = services[i];
            if (!descriptor.IsKeyedService
                || (descriptor.ServiceType != typeof(IConnectionListenerFactory) && descriptor.ServiceType != typeof(IConnectionFactory)))
            {
                continue;
            }
            services[i] = new ServiceDescriptor(
                descriptor.ServiceType,
                descriptor.ServiceKey,
                static (provider, _) => provider.GetRequiredService<CountedTransport>(),
                ServiceLifetime.Singleton);
            replaced++;
        }
        if (replaced == 0)
            throw new InvalidOperationException("There is no factory of connections to replace. Call UseNetpoll after Orleans has added its services.");
    }
}
