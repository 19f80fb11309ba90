namespace NetGo;

/// <summary>What a scheduler does, as it happens: for traces, metrics and tests. Derive, override what is wanted, and set
/// <see cref="GoScheduler.Events"/>; while that is null nothing is called. The calls come from the scheduler's own code, on any
/// of its threads and several at once: they must be short, and must not block or use the scheduler. What one throws goes to
/// <see cref="GoScheduler.UnhandledException"/>.</summary>
public abstract class SchedulerEvents
{
    /// <summary>A goroutine was spawned. It is runnable from here on.</summary>
    /// <param name="goroutine">The goroutine.</param>
    public virtual void OnSpawn(GoroutineRef goroutine)
    {
    }

    /// <summary>A goroutine has ended.</summary>
    /// <param name="goroutine">The goroutine.</param>
    public virtual void OnEnd(GoroutineRef goroutine)
    {
    }

    /// <summary>A goroutine is about to run.</summary>
    /// <param name="goroutine">The goroutine.</param>
    /// <param name="processor">The number of its processor.</param>
    public virtual void OnRun(GoroutineRef goroutine, int processor)
    {
    }

    /// <summary>A goroutine is about to park.</summary>
    /// <param name="goroutine">The goroutine.</param>
    /// <param name="reason">What it will wait for.</param>
    public virtual void OnPark(GoroutineRef goroutine, WaitReason reason)
    {
    }

    /// <summary>A parked goroutine is made runnable.</summary>
    /// <param name="goroutine">The goroutine.</param>
    public virtual void OnReady(GoroutineRef goroutine)
    {
    }

    /// <summary>A processor without work has taken goroutines from another's queue.</summary>
    /// <param name="goroutine">The one that it will run first.</param>
    /// <param name="thief">The number of the processor that has them now.</param>
    /// <param name="victim">The number of the processor that had them.</param>
    public virtual void OnSteal(GoroutineRef goroutine, int thief, int victim)
    {
    }

    /// <summary>A processor was taken from a thread, and another thread goes on with it.</summary>
    /// <param name="processor">The number of the processor.</param>
    /// <param name="reason">Why.</param>
    public virtual void OnHandOff(int processor, HandOffReason reason)
    {
    }

    /// <summary>A goroutine has entered <see cref="Go.Blocking(Action)"/>.</summary>
    /// <param name="goroutine">The goroutine.</param>
    public virtual void OnSyscallEnter(GoroutineRef goroutine)
    {
    }

    /// <summary>A goroutine has left <see cref="Go.Blocking(Action)"/> and goes on.</summary>
    /// <param name="goroutine">The goroutine.</param>
    /// <param name="lostProcessor">Its processor had been given to another thread, so it had to wait for one.</param>
    public virtual void OnSyscallExit(GoroutineRef goroutine, bool lostProcessor)
    {
    }
}
