namespace NetGo;

/// <summary>What a <see cref="TraceRecord"/> tells of, and what its fields mean then. G is <see cref="TraceRecord.Goroutine"/>.</summary>
internal enum TraceRecordKind : byte
{
    /// <summary>G has been spawned. Value: the line; Reference: the file, a string.</summary>
    Spawned,

    /// <summary>G has ended.</summary>
    Ended,

    /// <summary>G begins to run.</summary>
    Runs,

    /// <summary>G parks. Detail: the <see cref="WaitReason"/>; Reference: the type of what goes on when it is woken, if known.</summary>
    Parks,

    /// <summary>G is made runnable. Value: the goroutine that does that, 0 for none.</summary>
    Ready,

    /// <summary>Value: the processor that G was stolen from.</summary>
    Stolen,

    /// <summary>The processor is taken from a machine. Detail: the <see cref="HandOffReason"/>; Value: the machine that had it.</summary>
    HandedOff,

    /// <summary>G enters Go.Blocking.</summary>
    EntersSyscall,

    /// <summary>G has left Go.Blocking. Value: 1 when it had lost its processor.</summary>
    ExitsSyscall,

    /// <summary>The machine begins to use the processor.</summary>
    ProcessorStarts,

    /// <summary>The machine sleeps in the processor's poller, or gives it up.</summary>
    ProcessorStops,

    /// <summary>The poller was asked. Value: how many goroutines that made ready.</summary>
    Polled,

    /// <summary>Timers have fired. Value: how many.</summary>
    TimersFired,

    /// <summary>Value: the number of the task; Reference: the <see cref="TraceTask"/>.</summary>
    TaskBegins,

    /// <summary>Value: the number of the task.</summary>
    TaskEnds,

    /// <summary>Value: the number of the task, 0 for none; Reference: the name.</summary>
    RegionBegins,

    /// <summary>As <see cref="RegionBegins"/>.</summary>
    RegionEnds,

    /// <summary>Value: the number of the task; Reference: a <see cref="TraceMessage"/>.</summary>
    Log,

    /// <summary>A garbage collection. Value: its generation.</summary>
    CollectionBegins,

    /// <summary>It has ended.</summary>
    CollectionEnds,

    /// <summary>The runtime has all managed threads stop.</summary>
    PauseBegins,

    /// <summary>They go on.</summary>
    PauseEnds,

    /// <summary>Value: bytes in the garbage-collected heap.</summary>
    Heap,
}
