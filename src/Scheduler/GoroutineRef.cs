namespace NetGo;

/// <summary>A goroutine as <see cref="SchedulerEvents"/> and <see cref="SchedulingOrder"/> see it, without a copy. Events may use
/// it during the call only, a queue while the goroutine is on it: afterwards it may stand for another.</summary>
public readonly struct GoroutineRef : IEquatable<GoroutineRef>
{
    internal GoroutineRef(Goroutine goroutine) => Goroutine = goroutine;

    internal Goroutine Goroutine { get; }

    /// <summary>A number unique within its scheduler.</summary>
    public long Id => Goroutine.Id;

    /// <summary>Where it was spawned: "file:line".</summary>
    public string SpawnSite => Goroutine.SpawnSite;

    /// <summary>Its state.</summary>
    public GoroutineStatus Status => Goroutine.Status;

    /// <summary>Until when it should have run, in nanoseconds of the scheduler's clock; null when it has no
    /// <see cref="Go.SetDeadline(TimeSpan)"/>.</summary>
    public long? Deadline => Goroutine.Deadline;

    /// <summary>The same goroutine, as long as both are valid.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(GoroutineRef other) => Goroutine == other.Goroutine;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GoroutineRef other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode();

    /// <summary>The same goroutine.</summary>
    public static bool operator ==(GoroutineRef left, GoroutineRef right) => left.Equals(right);

    /// <summary>Not the same goroutine.</summary>
    public static bool operator !=(GoroutineRef left, GoroutineRef right) => !left.Equals(right);
}
