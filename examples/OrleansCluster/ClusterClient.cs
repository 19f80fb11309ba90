using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;

namespace OrleansCluster;

/// <summary>A client of the cluster, connected to both silos.</summary>
internal sealed class ClusterClient : IAsyncDisposable
{
    /// <summary>How long a call may take.</summary>
    public static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(5);

    private readonly IHost _host;
    private readonly RunCount _runs;

    private ClusterClient(IHost host, RunCount runs)
    {
        _host = host;
        _runs = runs;
    }

    public TransportReport Report => TransportReport.Of(_host.Services.GetRequiredService<CountedTransport>(), _runs);

    public static async Task<ClusterClient> ConnectAsync(ClusterPorts ports, CancellationToken cancellationToken)
    {
        var runs = RunCount.Start();
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Error).AddSimpleConsole(options => options.SingleLine = true);
        builder.UseOrleansClient(client =>
        {
            client.UseLocalhostClustering([ports.GatewayPort("A"), ports.GatewayPort("B")]);
            client.Configure<ClientMessagingOptions>(static options => options.ResponseTimeout = ResponseTimeout);
            client.Services.UseNetpoll();
        });
        IHost host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new ClusterClient(host, runs);
    }

    public IPlaceGrain Grain(long key) => _host.Services.GetRequiredService<IGrainFactory>().GetGrain<IPlaceGrain>(key);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
