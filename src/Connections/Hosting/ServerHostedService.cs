using Microsoft.Extensions.Hosting;

namespace NetGo.Connections;

/// <summary>A server that starts and stops with a host.</summary>
internal sealed class ServerHostedService(Server server) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);
}
