namespace NetGo;

/// <summary>Why a goroutine is parked; Go's <c>waitReason</c>. Shown in traces, dumps and dead-lock reports.</summary>
public enum WaitReason : byte
{
    /// <summary>Not parked.</summary>
    None,

    /// <summary>Gave the processor up of its own will (<see cref="Go.YieldAsync"/>).</summary>
    Yield,

    /// <summary>Waits for a time (<see cref="Go.SleepAsync(TimeSpan)"/>).</summary>
    Sleep,

    /// <summary>Waits for a descriptor to become readable or writable.</summary>
    IOWait,

    /// <summary>Awaits something that is not of this runtime: a <see cref="System.Threading.Tasks.Task"/>, most often.</summary>
    Task,

    /// <summary>Waits to send on a channel.</summary>
    ChannelSend,

    /// <summary>Waits to receive from a channel.</summary>
    ChannelReceive,

    /// <summary>Waits in a select over several channels.</summary>
    Select,

    /// <summary>Waits for a mutex.</summary>
    Mutex,

    /// <summary>Waits for a wait group to reach zero.</summary>
    WaitGroup,

    /// <summary>Waits to read-lock a <c>RWMutex</c>.</summary>
    RWMutexRead,

    /// <summary>Waits to write-lock a <c>RWMutex</c>.</summary>
    RWMutexWrite,

    /// <summary>Waits for a condition variable to be signalled.</summary>
    Cond,

    /// <summary>Waits for another goroutine that runs a function once.</summary>
    Once,

    /// <summary>Waits for a semaphore.</summary>
    Semaphore,

    /// <summary>Waits for memory of a <c>BufferPool</c> that is at its limit.</summary>
    Buffer,

    /// <summary>Waits for what a scope or an error group started to end.</summary>
    Scope,

    /// <summary>Waits for ever: for a channel that is null, or a select without cases.</summary>
    Forever,

    /// <summary>Waits, in a simulation, for all other goroutines to be blocked.</summary>
    SimulationIdle,
}
