using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;
using System.Runtime.Loader;

namespace NetGo;

/// <summary>The events of all schedulers, for dotnet-trace and the like: hand-offs, which are rare, at the level Informational, and what goroutines do at
/// Verbose. While nobody listens, schedulers know nothing of it: it is an observer like others, there when it is wanted. A scheduler is named by the number of
/// its making, from 1 on.</summary>
[EventSource(Name = "NetGo-Scheduler")]
internal sealed class SchedulerEventSource : EventSource
{
    /// <summary>Null where the assembly has been loaded once more, into a context of its own: of two sources with one name one does not
    /// work, which might be the program's.</summary>
    public static readonly SchedulerEventSource? Log =
        AssemblyLoadContext.GetLoadContext(typeof(SchedulerEventSource).Assembly) == AssemblyLoadContext.Default ? new() : null;

    private const string Primitives = "All arguments are numbers and strings: nothing is serialized by reflection.";

    private static readonly string[] s_handOffReasons = Enum.GetNames<HandOffReason>();
    private static readonly string[] s_waitReasons = Enum.GetNames<WaitReason>();

    private SchedulerEventSource()
    {
    }

    /// <summary>For a scheduler; null when nobody listens.</summary>
    [NonEvent]
    public SchedulerObserver? NewObserver(int scheduler)
    {
        if (IsEnabled(EventLevel.Verbose, EventKeywords.All))
            return new GoroutineEvents(scheduler);
        return IsEnabled(EventLevel.Informational, EventKeywords.All) ? new HandOffEvents(scheduler) : null;
    }

    protected override void OnEventCommand(EventCommandEventArgs command)
    {
        if (Log is not null) // else it is being made, and schedulers ask when they are added
            LiveSchedulers.ObserveAll();
    }

    [NonEvent]
    public void HandOff(int scheduler, Processor processor, Machine machine, HandOffReason reason) =>
        HandOff(scheduler, processor.Index, machine.Id, s_handOffReasons[(int)reason]);

    [NonEvent]
    public void GoroutinePark(int scheduler, Goroutine goroutine, WaitReason reason) => GoroutinePark(scheduler, goroutine.Id, s_waitReasons[(int)reason]);

    /// <summary>A processor was taken from a machine.</summary>
    [Event(1, Level = EventLevel.Informational)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Primitives)]
    private unsafe void HandOff(int scheduler, int processor, int machine, string reason)
    {
        fixed (char* reasonChars = reason)
        {
            EventData* data = stackalloc EventData[4];
            data[0] = new EventData { DataPointer = (nint)(&scheduler), Size = sizeof(int) };
            data[1] = new EventData { DataPointer = (nint)(&processor), Size = sizeof(int) };
            data[2] = new EventData { DataPointer = (nint)(&machine), Size = sizeof(int) };
            data[3] = Text(reasonChars, reason);
            WriteEventCore(1, 4, data);
        }
    }

    [Event(2, Level = EventLevel.Verbose)]
    public void GoroutineSpawn(int scheduler, long goroutine, string site) => WriteOf(2, scheduler, goroutine, site);

    [Event(3, Level = EventLevel.Verbose)]
    private void GoroutinePark(int scheduler, long goroutine, string reason) => WriteOf(3, scheduler, goroutine, reason);

    [Event(4, Level = EventLevel.Verbose)]
    public void GoroutineReady(int scheduler, long goroutine) => WriteOf(4, scheduler, goroutine);

    [Event(5, Level = EventLevel.Verbose)]
    public void GoroutineEnd(int scheduler, long goroutine) => WriteOf(5, scheduler, goroutine);

    [NonEvent]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Primitives)]
    private unsafe void WriteOf(int id, int scheduler, long goroutine)
    {
        EventData* data = stackalloc EventData[2];
        data[0] = new EventData { DataPointer = (nint)(&scheduler), Size = sizeof(int) };
        data[1] = new EventData { DataPointer = (nint)(&goroutine), Size = sizeof(long) };
        WriteEventCore(id, 2, data);
    }

    [NonEvent]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Primitives)]
    private unsafe void WriteOf(int id, int scheduler, long goroutine, string text)
    {
        fixed (char* characters = text)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = new EventData { DataPointer = (nint)(&scheduler), Size = sizeof(int) };
            data[1] = new EventData { DataPointer = (nint)(&goroutine), Size = sizeof(long) };
            data[2] = Text(characters, text);
            WriteEventCore(id, 3, data);
        }
    }

    // With the NUL at its end.
    private static unsafe EventData Text(char* characters, string text) =>
        new() { DataPointer = (nint)characters, Size = (text.Length + 1) * sizeof(char) };
}
