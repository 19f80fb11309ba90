namespace NetGo;

/// <summary>What a <see cref="TraceStep"/> is: what has happened, without contradictions.</summary>
internal enum TraceStepKind : byte
{
    /// <summary>A thread begins to use the row. Value: the machine.</summary>
    RowStarts,

    /// <summary>It does not any more. No goroutine runs there.</summary>
    RowStops,

    /// <summary>The goroutine exists, and is runnable. Reference: where it was spawned, "file:line".</summary>
    Created,

    /// <summary>Just after <see cref="Created"/>: it was waiting when the trace began. Sequence is 1.</summary>
    WasWaiting,

    /// <summary>It runs in the row, where nothing runs. Sequence counts what has become of it.</summary>
    Starts,

    /// <summary>It has run, and ended.</summary>
    Ends,

    /// <summary>It has run, and is runnable.</summary>
    Yields,

    /// <summary>As <see cref="Yields"/>, and not of its own will.</summary>
    Preempted,

    /// <summary>It has run, and waits. Detail: the <see cref="WaitReason"/>; Reference: the type of what goes on then.</summary>
    Blocks,

    /// <summary>It has waited, and is runnable. Row: where that was done. Sequence.</summary>
    Unblocked,

    /// <summary>It runs, and has entered something that may block its thread.</summary>
    EntersSyscall,

    /// <summary>That has blocked: its row is another thread's.</summary>
    SyscallBlocks,

    /// <summary>It has come back, and is runnable. Sequence.</summary>
    SyscallEnds,

    /// <summary>As in <see cref="TraceRecordKind.TaskBegins"/>. Goroutine: its parent task.</summary>
    TaskBegins,

    /// <summary>Value: its number.</summary>
    TaskEnds,

    /// <summary>Of the goroutine, which runs in the row; they nest. Value: the task; Reference: the name.</summary>
    RegionBegins,

    /// <summary>The innermost one.</summary>
    RegionEnds,

    /// <summary>Value: the task; Reference: a <see cref="TraceMessage"/>.</summary>
    Log,

    /// <summary>One at a time. Value: the generation.</summary>
    CollectionBegins,

    /// <summary>It has ended.</summary>
    CollectionEnds,

    /// <summary>One at a time.</summary>
    PauseBegins,

    /// <summary>It has ended.</summary>
    PauseEnds,

    /// <summary>Value: bytes.</summary>
    Heap,

    /// <summary>Of the row: Value goroutines were made ready by its poller.</summary>
    Polled,

    /// <summary>Of the row: Value timers have fired.</summary>
    TimersFired,

    /// <summary>The row has taken the goroutine from the processor Value.</summary>
    Stolen,

    /// <summary>The row is given to another thread. Detail: the <see cref="HandOffReason"/>.</summary>
    HandedOff,
}
