namespace NetGo.Diagnostics;

/// <summary>A processor was taken from the thread of a goroutine.</summary>
/// <param name="Id">Its number: it is told again when <paramref name="Length"/> is known.</param>
/// <param name="Time">When; in microseconds on the timeline's clock.</param>
/// <param name="Processor">From where.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Goroutine">Which goroutine ran there; 0 when that is not known.</param>
/// <param name="Site">Where it was spawned.</param>
/// <param name="Length">For how long it went on without a processor, in microseconds; null while it does.</param>
internal sealed record TimelineHandOff(long Id, long Time, int Processor, string Reason, long Goroutine, string Site, long? Length);
