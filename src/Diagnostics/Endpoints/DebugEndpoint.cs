namespace NetGo.Diagnostics;

/// <summary>A debugging page.</summary>
/// <param name="Path">Below the prefix, as in "/pprof/heap".</param>
/// <param name="Description">For the index; empty for what is not to be on it.</param>
/// <param name="ServeAsync">Answers.</param>
internal sealed record DebugEndpoint(string Path, string Description, Func<DebugExchange, ValueTask> ServeAsync)
{
    /// <summary>How many there are of what the page is about, for the index; null when there is no such number.</summary>
    public Func<DebugExchange, long>? Count { get; init; }
}
