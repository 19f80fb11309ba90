using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>The execution trace: every goroutine's life, what each processor runs, when it polls, steals, sleeps and is handed off, garbage
/// collections, and what the program says of itself by tasks, regions and logs. Go's runtime/trace. Off, it costs a check of a field.</summary>
public static class GoTrace
{
    private static readonly ContextKey<TraceTask> s_task = new("trace task");
    private static long s_lastTask;

    /// <summary>Whether a trace is being taken of <see cref="GoScheduler.Current"/>: for what is dear to say.</summary>
    public static bool IsEnabled => GoScheduler.CurrentIfAny?.Tracer is not null;

    /// <summary>Starts a trace. Several may be taken at once. Go's trace.Start.</summary>
    /// <param name="output">Where it is written to, as it is taken; not closed. Its write fails: the trace ends, and
    /// <see cref="TraceSession.StopAsync"/> throws what it threw.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">The stream cannot be written to.</exception>
    public static TraceSession Start(Stream output, TraceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (!output.CanWrite)
            throw new ArgumentException("A trace needs a stream that can be written to.", nameof(output));
        options ??= new TraceOptions();
        ITraceWriter writer = options.Format switch
        {
            TraceFormat.Go => new GoTraceWriter(),
            TraceFormat.Perfetto => new PerfettoTraceWriter(),
            _ => throw new ArgumentException($"There is no format {options.Format}.", nameof(options)),
        };
        return new TraceSession(options.Scheduler ?? GoScheduler.Current, output, writer, options.GarbageCollections);
    }

    /// <summary>Begins a task: a piece of work that several goroutines may have a part in, such as a request. Regions and logs with a context
    /// that derives from its own belong to it. Go's trace.NewTask.</summary>
    /// <param name="parent">Its task, if it has one, is the new one's parent.</param>
    /// <param name="name">Its kind: few tasks have a name of their own.</param>
    public static TraceTask NewTask(Context parent, string name)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(name);
        long number = Interlocked.Increment(ref s_lastTask);
        var task = new TraceTask(number, TaskOf(parent), name, GoScheduler.CurrentIfAny);
        task.Context = Context.WithValue(parent, s_task, task);
        task.Scheduler?.Tracer?.WriteOwn(TraceRecordKind.TaskBegins, number, task);
        return task;
    }

    /// <summary>Begins a region: a stretch of the running goroutine's time, until it is disposed of, by the same goroutine. Regions nest:
    /// those that were begun in one end with it. Go's trace.StartRegion.</summary>
    /// <param name="context">It belongs to this one's task; null for none.</param>
    /// <param name="name">Its kind.</param>
    public static TraceRegion StartRegion(Context? context, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (GoScheduler.CurrentIfAny?.Tracer is not { } tracer)
            return default;
        long task = TaskOf(context);
        tracer.WriteOwn(TraceRecordKind.RegionBegins, task, name);
        return new TraceRegion(tracer, task, name);
    }

    /// <summary>Runs code in a region. Go's trace.WithRegion.</summary>
    /// <param name="context">It belongs to this one's task; null for none.</param>
    /// <param name="name">Its kind.</param>
    /// <param name="body">What it runs.</param>
    public static void WithRegion(Context? context, string name, Action body)
    {
        ArgumentNullException.ThrowIfNull(body);
        using (StartRegion(context, name))
            body();
    }

    /// <summary>As <see cref="WithRegion(Context, string, Action)"/>, for code that waits.</summary>
    /// <param name="context">It belongs to this one's task; null for none.</param>
    /// <param name="name">Its kind.</param>
    /// <param name="body">What it runs.</param>
    public static async ValueTask WithRegionAsync(Context? context, string name, Func<ValueTask> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        using (StartRegion(context, name))
            await body();
    }

    /// <summary>Writes a message into the trace. Go's trace.Log.</summary>
    /// <param name="context">It belongs to this one's task; null for none.</param>
    /// <param name="category">A word to find it by; may be empty.</param>
    /// <param name="message">The message. In Go's format it is cut off beyond 64 Ki characters.</param>
    public static void Log(Context? context, string category, string message)
    {
        ArgumentNullException.ThrowIfNull(category);
        ArgumentNullException.ThrowIfNull(message);
        GoScheduler.CurrentIfAny?.Tracer?.WriteOwn(TraceRecordKind.Log, TaskOf(context), new TraceMessage(category, message));
    }

    /// <summary>As <see cref="Log(Context, string, string)"/>; the message is put together only when a trace is being taken. Go's
    /// trace.Logf.</summary>
    /// <param name="context">It belongs to this one's task; null for none.</param>
    /// <param name="category">A word to find it by; may be empty.</param>
    /// <param name="message">The message, an interpolated string.</param>
    public static void Log(Context? context, string category, ref TraceInterpolatedStringHandler message)
    {
        if (message.IsEnabled)
            Log(context, category, message.ToStringAndClear());
    }

    private static long TaskOf(Context? context) => context is not null && context.TryGetValue(s_task, out TraceTask? task) ? task.Number : 0;
}
