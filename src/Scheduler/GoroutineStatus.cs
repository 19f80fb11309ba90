namespace NetGo;

/// <summary>The states of a goroutine, after Go's runtime2.go. <c>GoroutineState.cs</c> has the table of transitions.</summary>
public enum GoroutineStatus : byte
{
    /// <summary>Allocated, never used; Go's Gidle.</summary>
    Idle,

    /// <summary>On a run queue; Go's Grunnable.</summary>
    Runnable,

    /// <summary>On a machine, running user code; Go's Grunning.</summary>
    Running,

    /// <summary>On a machine, in <c>Go.Blocking</c>: its processor may be given to another; Go's Gsyscall.</summary>
    Syscall,

    /// <summary>Parked: on no run queue, somebody holds the right to make it ready; Go's Gwaiting.</summary>
    Waiting,

    /// <summary>Ended; on a free list or left to the garbage collector; Go's Gdead.</summary>
    Dead,
}
