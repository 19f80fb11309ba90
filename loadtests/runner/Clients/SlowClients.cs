using System.Diagnostics;

namespace NetGo.LoadTests;

/// <summary>slowhttptest: connections that send their heads a few octets at a time.</summary>
internal sealed class SlowClients : IAsyncDisposable
{
    private readonly Process _process;

    private SlowClients(Process process) => _process = process;

    /// <summary>Begins, and waits until most of them are there.</summary>
    public static async Task<SlowClients> StartAsync(Target target, int connections, string cores, CancellationToken cancellationToken)
    {
        Process process = Tool.Start(
            [
                "taskset", "-c", cores, "slowhttptest", "-H", "-u", $"http://127.0.0.1:{target.Port}/plaintext", "-c", $"{connections}", "-r", $"{connections / 2}",
                "-i", "5", "-x", "24", "-l", "600",
            ]);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var slow = new SlowClients(process);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken); // all are connected after two
            return process.HasExited ? throw new LoadTestException("slowhttptest has ended at once") : slow;
        }
        catch
        {
            await slow.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
