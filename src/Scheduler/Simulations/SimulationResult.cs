namespace NetGo;

/// <summary>What a <see cref="Simulation"/> did.</summary>
/// <param name="Seed">The seed that chose the order.</param>
/// <param name="Steps">How often a goroutine was chosen to run.</param>
/// <param name="VirtualTime">How far the virtual clock has moved.</param>
/// <param name="TraceHash">Stands for who ran when: two runs with the same hash went the same way.</param>
public sealed record SimulationResult(ulong Seed, long Steps, TimeSpan VirtualTime, ulong TraceHash);
