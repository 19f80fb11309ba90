namespace NetGo.Diagnostics;

/// <summary>What has happened in about a second, as the live page gets it.</summary>
/// <param name="Number">One more than of the sample before.</param>
/// <param name="Time">Its end; milliseconds since 1970.</param>
/// <param name="Span">How long it is, in seconds.</param>
/// <param name="Goroutines">How many there are.</param>
/// <param name="GlobalQueue">Runnable ones on the queue that belongs to no processor.</param>
/// <param name="Machines">Threads that run goroutines.</param>
/// <param name="IdleMachines">Those that have nothing to do.</param>
/// <param name="SpinningMachines">Those that look for work.</param>
/// <param name="Processors">Each processor.</param>
/// <param name="Batches">How many polls have made none, 1, 2 to 3, 4 to 7, ... goroutines ready, in this time.</param>
/// <param name="HandOffs">Hand-offs.</param>
/// <param name="Process">The process.</param>
/// <param name="Requests">Requests; null when no server tells of them.</param>
/// <param name="Buffers">Buffers.</param>
/// <param name="Population">The last count of goroutines; null when none has ended since the sample before.</param>
internal sealed record Sample(
    long Number,
    long Time,
    double Span,
    long Goroutines,
    int GlobalQueue,
    int Machines,
    int IdleMachines,
    int SpinningMachines,
    IReadOnlyList<ProcessorSample> Processors,
    IReadOnlyList<long> Batches,
    HandOffSample HandOffs,
    ProcessSample Process,
    RequestSample? Requests,
    BufferSample Buffers,
    PopulationSample? Population);
