namespace NetGo.Diagnostics;

/// <summary>The goroutines that were spawned at one place.</summary>
/// <param name="Site">"file:line".</param>
/// <param name="Count">How many there are.</param>
/// <param name="Waiting">How many of them wait.</param>
/// <param name="Spawned">How many were spawned, per second; null when nothing is traced.</param>
/// <param name="Running">How long they ran together, in seconds per second; null when nothing is traced.</param>
internal sealed record SiteSample(string Site, long Count, long Waiting, double? Spawned, double? Running);
