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

    private int Missing => _least - ProcessFigures.DescriptorsOfAll(_target.Pid);

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
            long begun = Stopwatch.GetTimestamp();
            while (slow.Missing > 0 && !process.HasExited && Stopwatch.GetElapsedTime(begun) < s_patience)
                await Task.Delay(100, cancellationToken); // two seconds, at the rate at which they come
            slow.ThrowUnlessThere();
            await Task.Delay(1000, cancellationToken); // the last tenth comes
            return slow;
        }
        catch
        {
            await slow.DisposeAsync();
            throw;
        }
    }

    /// <summary>Throws when fewer than nine in ten are connected: what was measured was not among them.</summary>
    public void ThrowUnlessThere()
    {
        if (_process.HasExited)
            throw new LoadTestException("slowhttptest has ended");
        if (Missing is > 0 and int missing)
            throw new LoadTestException($"{_target.Name} has {missing} connections of slow clients too few");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
