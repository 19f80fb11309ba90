namespace NetGo.Diagnostics;

/// <summary>What each processor ran in the time of a sample. Times are in microseconds on a clock of its own.</summary>
/// <param name="Number">The sample's.</param>
/// <param name="From">Its begin.</param>
/// <param name="To">Its end.</param>
/// <param name="Time">Its end in milliseconds since 1970.</param>
/// <param name="Sites">Where goroutines were spawned, for the items.</param>
/// <param name="Rows">The processors.</param>
/// <param name="HandOffs">New ones, and those that have ended.</param>
/// <param name="Pauses">Begin and length of each stop of all threads for the garbage collector. These come late.</param>
/// <param name="Collections">Begin, length and generation of each garbage collection. These come late.</param>
internal sealed record TimelineSample(
    long Number,
    long From,
    long To,
    long Time,
    IReadOnlyList<string> Sites,
    IReadOnlyList<TimelineRowSample> Rows,
    IReadOnlyList<TimelineHandOff> HandOffs,
    IReadOnlyList<long> Pauses,
    IReadOnlyList<long> Collections);
