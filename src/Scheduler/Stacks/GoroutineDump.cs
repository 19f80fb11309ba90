using System.Globalization;

namespace NetGo;

/// <summary>Goroutines as text, as Go prints them in a crash and at /debug/pprof/goroutine?debug=2.</summary>
public static class GoroutineDump
{
    /// <summary>What all goroutines of a scheduler do: <see cref="GoScheduler.GoroutineStacks"/>, as text.</summary>
    /// <param name="scheduler">Null for <see cref="GoScheduler.Current"/>.</param>
    public static string Take(GoScheduler? scheduler = null)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        Write(text, (scheduler ?? GoScheduler.Current).GoroutineStacks());
        return text.ToString();
    }

    /// <summary>Writes one paragraph for each goroutine: "goroutine 18 [channel receive, 5 minutes]:", the methods that it is in from the
    /// innermost outwards, each with its line, and where it was spawned.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="goroutines">From <see cref="GoScheduler.GoroutineStacks"/>.</param>
    public static void Write(TextWriter writer, IEnumerable<GoroutineInfo> goroutines)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(goroutines);
        bool first = true;
        foreach (GoroutineInfo g in goroutines)
        {
            if (!first)
                writer.Write('\n');
            first = false;
            Write(writer, g);
        }
    }

    private static void Write(TextWriter writer, GoroutineInfo g)
    {
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"goroutine {g.Id} [{g.State}"));
        if (g.WaitTime is { TotalMinutes: >= 1 } waited)
            writer.Write(string.Create(CultureInfo.InvariantCulture, $", {(long)waited.TotalMinutes} minutes"));
        if (g.IsBranch)
            writer.Write(g.Id == 0 ? ", not a goroutine" : ", not awaited");
        writer.Write("]:\n");
        foreach (GoroutineFrame frame in g.Frames)
        {
            writer.Write($"{frame.Method}(...)\n");
            if (frame.File is not null)
                writer.Write(string.Create(CultureInfo.InvariantCulture, $"\t{frame.File}:{frame.Line}\n"));
        }
        if (g.SpawnFile.Length > 0)
            writer.Write(string.Create(CultureInfo.InvariantCulture, $"created by NetGo.Go.Spawn\n\t{g.SpawnFile}:{g.SpawnLine}\n"));
    }
}
