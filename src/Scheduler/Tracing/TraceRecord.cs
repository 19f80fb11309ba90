namespace NetGo;

/// <summary>What the scheduler writes down of an event: 32 bytes, and a reference beside them in <see cref="TraceRing"/>.</summary>
internal struct TraceRecord
{
    /// <summary>In nanoseconds of the system's monotonic clock.</summary>
    public long Time;

    public long Goroutine;

    public long Value;

    public int Machine;

    /// <summary>-1 on a thread that has none.</summary>
    public short Processor;

    public TraceRecordKind Kind;

    public byte Detail;
}
