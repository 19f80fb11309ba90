using System.Diagnostics;

namespace NetGo.LoadTests;

/// <summary>slowhttptest: connections that send their heads a few octets at a time.</summary>
internal sealed class SlowClients : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly Target _target;
    private readonly int _least; // descriptors of the target, when nine in ten of them are there

    private SlowClients(Process process, Target target, int least)
    {
        _process = process;
        _target = target;
        _least = least;
    }

    private bool AreThere => ProcessFigures.DescriptorsOfAll(_target.Pid) >= _least;

    /// <summary>Begins, and waits until nine in ten of them are connected.</summary>
    public static async Task<SlowClients> StartAsync(Target target, int connections, string cores, CancellationToken cancellationToken)
    {
        int least = ProcessFigures.DescriptorsOfAll(target.Pid) + (connections * 9 / 10);
        Process process = Tool.Start(
            [
                "taskset", "-c", cores, "slowhttptest", "-H", "-u", $"http://127.0.0.1:{target.Port}/plaintext", "-c", $"{connections}", "-r", $"{connections / 2}",
                "-i", "5", "-x", "24", "-l", "600",
            ]);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var slow = new SlowClients(process, target, least);
        try
        {
            for (long begun = Stopwatch.GetTimestamp(); !slow.AreThere && Stopwatch.GetElapsedTime(begun) < s_patience;)
                await Task.Delay(100, cancellationToken); // all are connected after two seconds
            slow.ThrowIfGone();
            await Task.Delay(1000, cancellationToken);
            return slow;
        }
        catch
        {
            await slow.DisposeAsync();
            throw;
        }
    }

    /// <summary>Throws when they are not there any more: what was measured was not among them.</summary>
    public void ThrowIfGone()
    {
        if (_process.HasExited)
            throw new LoadTestException("slowhttptest has ended");
        if (!AreThere)
            throw new LoadTestException($"of the slow clients' connections not nine in ten are there: {_target.Name} has {ProcessFigures.DescriptorsOfAll(_target.Pid)} descriptors of {_least}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
