namespace NetGo.Interleaving;

/// <summary>How far an exploration goes.</summary>
internal sealed record Bounds
{
    /// <summary>How often in one run a thread that could go on may be made to wait for another. Switches at the end of a
    /// thread, at a lock that is held and in a spin loop are free.</summary>
    public int Preemptions { get; init; } = 2;

    /// <summary>How many stores in one run may go to an empty store buffer instead of to memory; what is stored behind
    /// a delayed store is delayed with it, at no cost. 0: sequential consistency.</summary>
    public int DelayedStores { get; init; }

    /// <summary>Whether the plain code between two operations is a step of its own.</summary>
    public bool PlainAccesses { get; init; }

    /// <summary>What is broken on purpose.</summary>
    public Weakness Weakness { get; init; }

    /// <summary>The members, separated by blanks, whose operations alone are broken; null: all. Locks are no member's.</summary>
    public string? WeakIn { get; init; }

    /// <summary>A run with more points than this is taken for a livelock and fails.</summary>
    public int MaxPoints { get; init; } = 20_000;

    /// <summary>Where a depth-first search gives up; it is then not complete.</summary>
    public int MaxRuns { get; init; } = 200_000;

    /// <summary>These bounds with as many preemptions, and delayed stores if any, as there are occasions.</summary>
    public Bounds Unbounded() => this with { Preemptions = int.MaxValue, DelayedStores = DelayedStores == 0 ? 0 : int.MaxValue };
}
