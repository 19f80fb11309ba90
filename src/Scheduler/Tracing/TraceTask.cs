namespace NetGo;

/// <summary>A piece of work in the trace; see <see cref="GoTrace.NewTask"/>. Disposing of it ends it. Go's trace.Task.</summary>
public sealed class TraceTask : IDisposable
{
    private int _ended;

    internal TraceTask(long number, long parent, string name, GoScheduler? scheduler)
    {
        Number = number;
        Parent = parent;
        Name = name;
        Scheduler = scheduler;
    }

    /// <summary>For what belongs to it.</summary>
    public Context Context { get; internal set; } = null!;

    /// <summary>Its kind.</summary>
    public string Name { get; }

    internal long Number { get; }

    internal long Parent { get; }

    internal GoScheduler? Scheduler { get; }

    /// <summary>Ends it. Any goroutine; again, it does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            Scheduler?.Tracer?.WriteOwn(TraceRecordKind.TaskEnds, Number, null);
    }
}
