using Microsoft.Extensions.DependencyInjection;
using NetGo.Connections;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Kestrel on NetGo.</summary>
public static class WebHostBuilderNetpollExtensions
{
    /// <summary>Has Kestrel take its connections from NetGo's pollers and run what they ask for on NetGo's scheduler, inline, instead of from its own
    /// sockets transport. End points that NetGo does not know (named pipes) stay with the transports that do. Where no poller works, connections run over
    /// System.Net.Sockets on the thread pool (<see cref="NetpollTransportOptions.Fallback"/>).</summary>
    /// <param name="builder">A WebApplicationBuilder's <c>WebHost</c>, for example. The order of this and UseKestrel does not matter.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    public static IWebHostBuilder UseNetpoll(this IWebHostBuilder builder, Action<NetpollTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureServices(services => services.AddNetpollTransport(configure));
    }
}
