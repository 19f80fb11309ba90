namespace NetGo;

/// <summary>A record with its reference, as it was read from a ring.</summary>
internal readonly record struct TraceEntry(TraceRecord Record, object? Reference);
