namespace NetGo;

/// <summary>All goroutines of a <see cref="Simulation"/> wait, none of them for a time: none will ever run again.</summary>
public sealed class SimulationDeadlockException : Exception
{
    /// <summary>Makes one without a list.</summary>
    public SimulationDeadlockException()
        : this("All goroutines are asleep: dead-lock.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public SimulationDeadlockException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public SimulationDeadlockException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal SimulationDeadlockException(bool bodyEnded, IReadOnlyList<GoroutineInfo> goroutines)
        : base((bodyEnded ? "The body has ended, but goroutines remain that never will:" : "All goroutines are asleep: dead-lock:") +
            string.Concat(goroutines.Select(g => $"{Environment.NewLine}  {g}"))) =>
        Goroutines = goroutines;

    /// <summary>What each of them waits for, and where it was spawned.</summary>
    public IReadOnlyList<GoroutineInfo> Goroutines { get; } = [];
}
