namespace NetGo.Diagnostics;

/// <summary>What a processor ran. Times are in microseconds on the timeline's clock.</summary>
/// <param name="Processor">Its number.</param>
/// <param name="Items">Seven numbers for each stretch of time: begin, length, place in <see cref="TimelineSample.Sites"/>, goroutine (0 when it
/// stands for several), how many runs, the time they ran, how it ended (<see cref="SliceEnd"/>).</param>
/// <param name="Gaps">Begin and length of what was not recorded.</param>
/// <param name="Lost">How many events that were.</param>
internal sealed record TimelineRowSample(int Processor, IReadOnlyList<long> Items, IReadOnlyList<long> Gaps, long Lost);
