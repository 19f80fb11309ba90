namespace NetGo;

/// <summary>A stretch of a goroutine's time in the trace; see <see cref="GoTrace.StartRegion"/>. Disposing of it ends it, in the goroutine
/// that began it. Go's trace.Region.</summary>
public readonly struct TraceRegion : IDisposable
{
    private readonly TraceObserver? _tracer;
    private readonly long _task;
    private readonly string? _name;

    internal TraceRegion(TraceObserver tracer, long task, string name)
    {
        _tracer = tracer;
        _task = task;
        _name = name;
    }

    /// <summary>Ends it.</summary>
    public void Dispose() => _tracer?.WriteOwn(TraceRecordKind.RegionEnds, _task, _name);
}
