using System.Threading.Tasks.Sources;

namespace NetGo;

/// <summary>A yield (<paramref name="until"/> is 0) or sleep as an object of its own, for the callers that cannot use their
/// goroutine's: threads that run none, and goroutines with one not awaited yet.</summary>
internal sealed class WaitOperation(long until) : IValueTaskSource
{
    private bool _started;

    public ValueTaskSourceStatus GetStatus(short token) => _started ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

    public void GetResult(short token)
    {
        if (!_started)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        if (_started)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        _started = true;
        if (until == 0)
            Goroutine.StartYield(continuation, state, flags);
        else
            Goroutine.StartSleep(until, continuation, state, flags);
    }
}
