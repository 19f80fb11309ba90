using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>Awaited on a thread that is no machine, brings the code back to the scheduler, as the goroutine it was if that is
/// still at rest.</summary>
internal readonly struct ReturnToScheduler(Goroutine goroutine) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public ReturnToScheduler GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => goroutine.Post(static c => ((Action)c!)(), continuation);
}
