namespace NetGo.Diagnostics;

/// <summary>The goroutines, counted by going over all of them.</summary>
/// <param name="Time">When that was done; milliseconds since 1970.</param>
/// <param name="Took">How long it took from the first to the last, in milliseconds: with very many they are counted in pieces.</param>
/// <param name="Total">How many there were.</param>
/// <param name="States">By state.</param>
/// <param name="Waits">Those that wait, by what for.</param>
/// <param name="Sites">By where they were spawned, the most first; not all of them.</param>
/// <param name="SiteCount">How many places there are.</param>
internal sealed record PopulationSample(
    long Time, double Took, long Total, IReadOnlyList<NamedCount> States, IReadOnlyList<NamedCount> Waits, IReadOnlyList<SiteSample> Sites, int SiteCount);
