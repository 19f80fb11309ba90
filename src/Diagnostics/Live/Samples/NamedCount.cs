namespace NetGo.Diagnostics;

/// <summary>How many goroutines there are of a kind.</summary>
internal sealed record NamedCount(string Name, long Count);
