namespace NetGo;

/// <summary>How a trace is written.</summary>
public enum TraceFormat
{
    /// <summary>Go's, of version 1.19: for <c>go tool trace FILE</c>, of that and of all later versions.</summary>
    Go,

    /// <summary>The JSON of Chrome's trace events: for ui.perfetto.dev, chrome://tracing and others. About twenty times as large.</summary>
    Perfetto,
}
