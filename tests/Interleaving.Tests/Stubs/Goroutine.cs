using System.Threading.Tasks.Sources;
using NetGo.Interleaving;

namespace NetGo;

/// <summary>What queues, machines and waits need of a goroutine, and a name for the trace.</summary>
internal sealed class Goroutine(GoScheduler scheduler, int id)
{
    [ThreadStatic]
    private static Goroutine? t_current;

    private bool _parked;

    public int Id => id;

    public GoScheduler Scheduler => scheduler;

    /// <summary>What it does when a machine with this processor runs it.</summary>
    public Action<Processor>? Body { get; init; }

    internal Goroutine? SchedLink;

    /// <summary>Nobody has made it ready.</summary>
    public bool IsParked => _parked;

    /// <summary>Makes it the one that the calling virtual thread stands for.</summary>
    public void Begin() => t_current = this;

    /// <summary>Parks the calling virtual thread's goroutine; the thread then calls <see cref="WaitUntilReady"/>.</summary>
    public static Goroutine Park(Action<object?> continuation, object? argument, WaitReason reason, ValueTaskSourceOnCompletedFlags flags)
    {
        t_current!._parked = true;
        return t_current;
    }

    /// <summary>What a thread that blocks parks in its stead; no test here has one.</summary>
    public static Goroutine ParkOn(GoScheduler scheduler, Action<object?> continuation, object? argument, WaitReason reason) =>
        ParkAnother(scheduler, continuation, argument, reason);

    public static Goroutine ParkAnother(GoScheduler scheduler, Action<object?> continuation, object? argument, WaitReason reason) =>
        throw new NotSupportedException();

    public void MarkRunnable()
    {
        Assert.True(_parked, "A goroutine was made ready that is not parked.");
        _parked = false;
    }

    public void WaitUntilReady() => Run.WaitUntil("being made ready", () => !_parked);

    public override string ToString() => $"g{id}";
}
