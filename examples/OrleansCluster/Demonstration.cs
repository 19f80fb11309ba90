using System.Diagnostics;

namespace OrleansCluster;

/// <summary>Two silos and a client that kills one of them.</summary>
internal static class Demonstration
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(55);

    /// <summary>Of this example.</summary>
    public static string Executable { get; } =
        Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "OrleansCluster.exe" : "OrleansCluster");

    public static async Task<int> RunAsync()
    {
        using var timeout = new CancellationTokenSource(s_limit);
        var watch = Stopwatch.StartNew();
        try
        {
            await RunAsync(timeout.Token);
            Console.WriteLine($"ok, after {watch.Elapsed.TotalSeconds:F1} s");
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"FAILED: {e}");
            return 1;
        }
    }

    private static async Task RunAsync(CancellationToken cancellationToken)
    {
        var ports = ClusterPorts.FindFree();
        using SiloProcess a = await SiloProcess.StartAsync("A", ports, cancellationToken);
        using SiloProcess b = await SiloProcess.StartAsync("B", ports, cancellationToken);
        int outcome = await RunClientAsync(ports, b.Id, cancellationToken);
        if (outcome != 0)
            throw new InvalidDataException($"The client has ended with {outcome}.");
        int exitCode = await a.StopAsync(cancellationToken);
        if (exitCode != 0)
            throw new InvalidDataException($"Silo A has ended with {exitCode}.");
    }

    private static async Task<int> RunClientAsync(ClusterPorts ports, int processOfB, CancellationToken cancellationToken)
    {
        using Process client = Process.Start(Executable, ["client", $"{ports.First}", $"{processOfB}"]);
        try
        {
            await client.WaitForExitAsync(cancellationToken);
            return client.ExitCode;
        }
        finally
        {
            if (!client.HasExited)
                client.Kill();
        }
    }
}
