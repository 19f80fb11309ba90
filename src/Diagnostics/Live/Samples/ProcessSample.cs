namespace NetGo.Diagnostics;

/// <summary>The process.</summary>
/// <param name="Cores">How many cores' worth of processor time it took.</param>
/// <param name="Memory">Its resident memory, in bytes.</param>
/// <param name="Heap">The garbage-collected heap, in bytes.</param>
/// <param name="Allocated">Bytes allocated there per second.</param>
/// <param name="Collections">How many garbage collections there were, by generation.</param>
/// <param name="Paused">For how many milliseconds they stopped all threads.</param>
internal sealed record ProcessSample(double Cores, long Memory, long Heap, double Allocated, IReadOnlyList<int> Collections, double Paused);
