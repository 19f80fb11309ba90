using Microsoft.Extensions.Hosting;

namespace Resp;

/// <summary>Removes keys whose time is over, every second.</summary>
internal sealed class ExpiryService(Store store) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await timer.WaitForNextTickAsync(stoppingToken))
            store.RemoveExpired();
    }
}
