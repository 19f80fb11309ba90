using System.Diagnostics.Tracing;

namespace NetGo;

/// <summary>Tells of the runtime's garbage collections, by its own events, which come late: a tenth of a second or so. Where the program was built
/// without event sources (Native AOT's default) it hears of none.</summary>
internal sealed class CollectionListener : EventListener
{
    private const string RuntimeSource = "Microsoft-Windows-DotNETRuntime";
    private const EventKeywords Collections = (EventKeywords)0x1;

    // The numbers of the events, as the runtime's own list of them (ClrEtwAll.man) has them.
    private const int CollectionStart = 1;
    private const int CollectionEnd = 2;
    private const int RestartEnd = 3;
    private const int SuspendBegin = 9;

    private readonly Action<long, TraceRecordKind, long> _tell;
    private readonly long _offset; // of our clock from the event's, in nanoseconds
    private readonly Lock _lock = new();
    private EventSource? _runtime;

    public CollectionListener(Action<long, TraceRecordKind, long> tell)
    {
        _tell = tell;
        _offset = TraceObserver.Now() - Nanoseconds(DateTime.UtcNow);
        if (_runtime is { } runtime) // from here on it can be told
            EnableEvents(runtime, EventLevel.Informational, Collections);
    }

    // Called by the base class's constructor for the sources that there are already: the runtime's is among them.
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == RuntimeSource)
            _runtime = eventSource;
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        (TraceRecordKind kind, long value)? what = eventData.EventId switch
        {
            CollectionStart => (TraceRecordKind.CollectionBegins, eventData.Payload is { Count: > 1 } payload ? Convert.ToInt64(payload[1], null) : 0),
            CollectionEnd => (TraceRecordKind.CollectionEnds, 0),
            SuspendBegin => (TraceRecordKind.PauseBegins, 0),
            RestartEnd => (TraceRecordKind.PauseEnds, 0),
            _ => null,
        };
        if (what is not { } event_)
            return;
        lock (_lock)
            _tell(Nanoseconds(eventData.TimeStamp) + _offset, event_.kind, event_.value);
    }

    private static long Nanoseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks * 100;
}
