namespace NetGo;

/// <summary>What <see cref="TraceReplay"/> makes of the records.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Time">In nanoseconds, never less than of the one before.</param>
/// <param name="Row">A processor, or a thread that runs code without one; -1 where there is none.</param>
/// <param name="Goroutine">Whose it is.</param>
/// <param name="Value">As the kind says.</param>
/// <param name="Reference">As the kind says.</param>
/// <param name="Detail">As the kind says.</param>
/// <param name="Sequence">As the kind says.</param>
internal readonly record struct TraceStep(
    TraceStepKind Kind, long Time, int Row, long Goroutine = 0, long Value = 0, object? Reference = null, byte Detail = 0, int Sequence = 0);
