namespace NetGo;

/// <summary>What a scheduler does, and has done since it was made, at about one moment.</summary>
/// <param name="Processors">By their number.</param>
/// <param name="Goroutines">How many there are.</param>
/// <param name="GlobalQueueLength">Runnable goroutines on the queue that belongs to no processor.</param>
/// <param name="Machines">Threads that run goroutines, or wait for some to run.</param>
/// <param name="IdleMachines">Those of them that have no processor and nothing to do.</param>
/// <param name="SpinningMachines">Those that look for work in the queues of other processors.</param>
/// <param name="BlockedHandOffs">How often a processor was taken from a thread that slept in the kernel.</param>
/// <param name="SyscallHandOffs">How often from one in <see cref="Go.Blocking(Action)"/>.</param>
/// <param name="TimeSliceHandOffs">How often from one whose goroutine had used up its time slice while others waited.</param>
public sealed record SchedulerStatistics(
    IReadOnlyList<ProcessorStatistics> Processors,
    long Goroutines,
    int GlobalQueueLength,
    int Machines,
    int IdleMachines,
    int SpinningMachines,
    long BlockedHandOffs,
    long SyscallHandOffs,
    long TimeSliceHandOffs)
{
    /// <summary>How many processors have nothing to do.</summary>
    public int IdleProcessors => Processors.Count(static p => p.IsIdle);
}
