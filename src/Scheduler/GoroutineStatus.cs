namespace NetGo;

/// <summary>The states of a goroutine, after Go's runtime2.go. <c>Goroutine.cs</c> has the table of transitions.</summary>
internal enum GoroutineStatus : byte
{
    /// <summary>Allocated, never used.</summary>
    Idle,

    /// <summary>On a run queue.</summary>
    Runnable,

    /// <summary>On a machine, running user code.</summary>
    Running,

    /// <summary>Parked: on no run queue, somebody holds the right to make it ready.</summary>
    Waiting,

    /// <summary>Ended; on a free list or left to the garbage collector.</summary>
    Dead,
}
