using System.Runtime.InteropServices;

namespace Deployment;

/// <summary>SIGTERM and SIGINT, counted: the first one asks to stop, the second one not to wait for it.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _requested = new();
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;

    public StopSignals()
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Count);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Count);
    }

    /// <summary>Cancelled by the first one.</summary>
    public CancellationToken Requested => _requested.Token;

    public Task FirstAsync() => _first.Task;

    public Task SecondAsync() => _second.Task;

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _requested.Dispose();
    }

    private void Count(PosixSignalContext context)
    {
        context.Cancel = true; // the process does not end at once
        if (_first.TrySetResult())
            _requested.Cancel();
        else
            _second.TrySetResult();
    }
}
