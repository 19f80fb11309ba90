using System.Text;

namespace NetGo.Interleaving;

/// <summary>A run failed. The message has the cause, the list of decisions for <see cref="Explore.Replay"/>, and what every
/// thread did.</summary>
internal sealed class InterleavingException(Run run, int runs, Exception cause) : Exception(Describe(run, runs, cause), cause)
{
    private const int MaxLines = 400;

    /// <summary>The decisions that led here.</summary>
    public string Schedule { get; } = Interleaving.Schedule.Format(run.Decisions);

    private static string Describe(Run run, int runs, Exception cause)
    {
        var text = new StringBuilder();
        text.Append("Run ").Append(runs).Append(" failed: ").AppendLine(cause.Message);
        text.Append("  bounds    ").AppendLine(run.Bounds.ToString());
        text.Append("  schedule  ").AppendLine(Interleaving.Schedule.Format(run.Decisions));
        foreach (string line in run.TraceLines.TakeLast(MaxLines))
            text.Append("  ").AppendLine(line);
        return text.ToString();
    }
}
