namespace NetGo;

/// <summary>The numbers that a seed stands for (SplitMix64, Steele, Lea and Flood 2014): the same in every version.</summary>
internal sealed class SimulationRandom(ulong seed)
{
    private ulong _state = seed;

    public uint Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (uint)((z ^ (z >> 31)) >> 32);
    }

    /// <summary>0 to <paramref name="end"/> - 1.</summary>
    public int Below(int end) => (int)(((ulong)Next() * (uint)end) >> 32);

    public bool OneIn(int n) => Below(n) == 0;
}
