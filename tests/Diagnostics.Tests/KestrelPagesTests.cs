using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace NetGo.Diagnostics.Tests;

public sealed class KestrelPagesTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_pages_are_there_in_an_application_and_in_a_group(bool netpoll)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        if (netpoll)
            builder.WebHost.UseNetpoll();
        await using WebApplication app = builder.Build();
        app.MapNetGoDebug();
        app.MapGroup("/admin").MapNetGoDebug();
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        Assert.Contains("href=\"/debug/pprof/heap\"", await client.GetStringAsync("/debug/pprof/").Within());
        Assert.Contains("href=\"/admin/debug/pprof/heap\"", await client.GetStringAsync("/admin/debug/pprof/").Within());
        Assert.NotEmpty(ParsedProfile.FromGzip(await client.GetStreamAsync("/debug/pprof/threadcreate").Within()).Samples);
        Assert.Equal(400, (int)(await client.GetAsync("/admin/debug/pprof/profile?seconds=x").Within()).StatusCode);
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "/debug/pprof/cmdline");
        foreign.Headers.Host = "example.com";
        Assert.Equal(403, (int)(await client.SendAsync(foreign).Within()).StatusCode);
        await app.StopAsync();
    }
}
