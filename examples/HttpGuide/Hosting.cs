using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NetGo.Http;

namespace HttpGuide;

// snippet: hosting
internal sealed class Greeter
{
    public string Greeting { get; } = "Hello from a host";
}

internal sealed class GreetHandler(Greeter greeter) : IHandler
{
    public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => response.WriteAsync(greeter.Greeting);
}
// end

internal static class Hosting
{
    public static async Task HostingAsync()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        // snippet: hosting
        builder.Services.AddSingleton<Greeter>();
        builder.Services
            .AddNetGo(builder.Configuration.GetSection("NetGo"))
            .Use((services, handler) => handler.WithAccessLog(services.GetRequiredService<ILogger<Server>>()))
            .Handle<GreetHandler>("GET /greet");
        using IHost host = builder.Build();
        await host.StartAsync();                                     // or host.Run()
        var address = host.Services.GetRequiredService<NetGoServer>().Endpoints[0];
        // end
        using var client = new HttpClient();
        Console.WriteLine(await client.GetStringAsync($"http://{address}/greet"));
        await host.StopAsync();
    }
}
