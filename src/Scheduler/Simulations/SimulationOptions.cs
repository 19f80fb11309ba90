namespace NetGo;

/// <summary>How a <see cref="Simulation"/> runs.</summary>
public sealed record SimulationOptions
{
    /// <summary>Chooses the order in which goroutines run. The same seed gives the same order. The default is 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How often goroutines may be switched, and the clock be moved, before the program is taken to run for ever. The default is a
    /// million.</summary>
    public long MaxSteps { get; init; } = 1_000_000;

    /// <summary>What the virtual clock shows at the start. The default is midnight UTC on 2000-01-01, as in synctest.</summary>
    public DateTimeOffset StartTime { get; init; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How long, in real time, to wait for something outside of the simulation (a thread, a task of the thread pool) when
    /// all goroutines are asleep. The default is zero: nothing comes from outside. Runs that need it cannot be repeated
    /// exactly.</summary>
    public TimeSpan OutsideWait { get; init; }
}
