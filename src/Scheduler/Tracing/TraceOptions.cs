namespace NetGo;

/// <summary>How <see cref="GoTrace.Start"/> traces.</summary>
public sealed class TraceOptions
{
    /// <summary>How it is written. The default is Go's format.</summary>
    public TraceFormat Format { get; set; } = TraceFormat.Go;

    /// <summary>What is traced; null, the default, for <see cref="GoScheduler.Current"/>.</summary>
    public GoScheduler? Scheduler { get; set; }

    /// <summary>Whether the runtime's garbage collections are in the trace, by its own events. The default is true.</summary>
    public bool GarbageCollections { get; set; } = true;
}
