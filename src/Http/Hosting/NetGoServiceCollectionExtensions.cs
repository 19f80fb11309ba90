using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using NetGo.Http;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a NetGo server to a host.</summary>
public static class NetGoServiceCollectionExtensions
{
    /// <summary>Adds an HTTP server, which starts and stops with the host. When it is called again it is the same
    /// server.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets addresses and limits.</param>
    /// <returns>For what it answers with. When nothing is registered there it is the service <see cref="IHandler"/>, if there is
    /// one.</returns>
    /// <example><code>
    /// var builder = Host.CreateApplicationBuilder(args);
    /// builder.Services.AddNetGo(options => options.Listen(":8080"))
    ///     .Handle("GET /hello/{name}", (response, request) => response.WriteAsync($"Hello, {request.PathValue("name")}!"));
    /// builder.Build().Run();
    /// </code></example>
    public static NetGoBuilder AddNetGo(this IServiceCollection services, Action<NetGoOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ServiceDescriptor? added = services.FirstOrDefault(static s => s.ServiceType == typeof(NetGoBuilder));
        NetGoBuilder builder = added?.ImplementationInstance as NetGoBuilder ?? AddServer(services);
        if (configure is not null)
            services.Configure(configure);
        return builder;
    }

    /// <summary>As <see cref="AddNetGo(IServiceCollection, Action{NetGoOptions})"/>, with options from configuration. A key that
    /// is no option's,
    /// or a value that is none, fails the start of the host.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="section">For example <c>builder.Configuration.GetSection("NetGo")</c>: { "Endpoints": [ { "Address": ":8080"
    /// } ] }.</param>
    /// <param name="configure">Sets what is not there.</param>
    /// <returns>For what it answers with.</returns>
    public static NetGoBuilder AddNetGo(this IServiceCollection services, IConfiguration section, Action<NetGoOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        services.AddSingleton<IConfigureOptions<NetGoOptions>>(new NetGoOptionsBinding(section));
        return services.AddNetGo(configure);
    }

    private static NetGoBuilder AddServer(IServiceCollection services)
    {
        var builder = new NetGoBuilder(services);
        services.AddSingleton(builder);
        services.AddOptions<NetGoOptions>();
        services.AddSingleton<IValidateOptions<NetGoOptions>, NetGoOptionsValidation>();
        services.AddSingleton(provider => new NetGoServer(provider, builder));
        services.AddHostedService(static provider => provider.GetRequiredService<NetGoServer>());
        return builder;
    }
}
