namespace NetGo;

/// <summary>A <see cref="Simulation"/> has failed. The cause is the inner exception.</summary>
public sealed class SimulationException : Exception
{
    /// <summary>Makes one without a cause.</summary>
    public SimulationException()
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public SimulationException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public SimulationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal SimulationException(ulong seed, Exception cause)
        : base($"The simulation with seed {seed} failed; Simulation.Run with SimulationOptions.Seed = {seed} repeats it. {cause.Message}", cause) =>
        Seed = seed;

    /// <summary>The seed of the run that failed.</summary>
    public ulong Seed { get; }
}
