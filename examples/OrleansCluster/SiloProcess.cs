using System.Diagnostics;

namespace OrleansCluster;

/// <summary>A silo that this process has started. Disposing of it kills it, if it still runs.</summary>
internal sealed class SiloProcess : IDisposable
{
    private readonly string _name;
    private readonly Process _process;

    private SiloProcess(string name, Process process)
    {
        _name = name;
        _process = process;
    }

    public int Id => _process.Id;

    /// <summary>Returns when it is a member of the cluster.</summary>
    /// <exception cref="InvalidDataException">It has ended before.</exception>
    public static async Task<SiloProcess> StartAsync(string name, ClusterPorts ports, CancellationToken cancellationToken)
    {
        string[] arguments = ["silo", name, $"{ports.First}", SiloHost.EndsWithInput];
        var silo = new SiloProcess(name, Process.Start(new ProcessStartInfo(Demonstration.Executable, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
        try
        {
            await silo.WaitUntilReadyAsync(cancellationToken);
            return silo;
        }
        catch
        {
            silo.Dispose();
            throw;
        }
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line == SiloHost.Ready)
            {
                _ = PassOnAsync();
                return;
            }
            Console.WriteLine($"silo {_name}: {line}");
        }
        throw new InvalidDataException($"Silo {_name} has ended before it was ready.");
    }

    private async Task PassOnAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            Console.WriteLine($"silo {_name}: {line}");
    }

    /// <summary>Has it end well.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
