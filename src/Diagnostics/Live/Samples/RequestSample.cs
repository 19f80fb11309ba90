namespace NetGo.Diagnostics;

/// <summary>The requests of all servers of the process, as their meters tell.</summary>
/// <param name="Rate">Requests that ended, per second.</param>
/// <param name="P50">Half of them took at most so many seconds; null without requests.</param>
/// <param name="P99">99 of 100 took at most so many seconds.</param>
/// <param name="Max">The longest, in seconds.</param>
/// <param name="Active">Under way; null when nobody tells.</param>
/// <param name="Connections">Open; null when nobody tells.</param>
/// <param name="CountsChanges">Active and Connections are changes since somebody began to view the page: the server tells only those.</param>
/// <param name="Histogram">How many took how long: the number of a bucket, then its count, and so on, without the empty ones. Bucket i ends
/// at 1 us * 2^((i + 1) / 4).</param>
internal sealed record RequestSample(
    double Rate, double? P50, double? P99, double? Max, long? Active, long? Connections, bool CountsChanges, IReadOnlyList<long> Histogram);
