using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;

namespace OrleansCluster;

/// <summary>A silo, in a process of its own.</summary>
internal static class SiloHost
{
    /// <summary>What it prints when it is a member of the cluster.</summary>
    public const string Ready = "ready";

    /// <summary>The argument by which it also stops at the end of its standard input: when whoever has started it is gone.</summary>
    public const string EndsWithInput = "ends-with-input";

    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(string name, ClusterPorts ports, bool endsWithInput)
    {
        var runs = RunCount.Start();
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Error).AddSimpleConsole(options => options.SingleLine = true);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(ports.SiloPort(name), ports.GatewayPort(name), new IPEndPoint(IPAddress.Loopback, ports.SiloPort("A")));
            silo.Configure<SiloOptions>(options => options.SiloName = name);
            silo.Configure<ClusterMembershipOptions>(FindDeathsSoon);
            silo.Configure<SiloMessagingOptions>(static options => options.ResponseTimeout = ClusterClient.ResponseTimeout);
            silo.Services.AddSingleton(runs);
            silo.Services.UseNetpoll();
        });
        using IHost host = builder.Build();
        await host.StartAsync();
        Console.WriteLine(Ready);
        if (endsWithInput)
            _ = Task.Factory.StartNew(() => StopWithInput(host), TaskCreationOptions.LongRunning);
        await host.WaitForShutdownAsync();
        return 0;
    }

    // One vote is all there can be in a cluster of two. By default a death takes two votes, and 15 s when nothing refuses connections.
    private static void FindDeathsSoon(ClusterMembershipOptions options)
    {
        options.ProbeTimeout = TimeSpan.FromSeconds(2);
        options.NumMissedProbesLimit = 2;
        options.NumVotesForDeathDeclaration = 1;
        options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
    }

    private static void StopWithInput(IHost host)
    {
        while (Console.In.Read() >= 0)
        {
        }
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        Thread.Sleep(s_stopLimit);
        Environment.Exit(1); // silo B does not come to its end without A, which has the list of members
    }
}
