using System.Runtime.CompilerServices;

namespace NetGo.Diagnostics;

/// <summary>Numbers for the places where goroutines are spawned, and what is counted for each. Bounded; one thread at a time.</summary>
internal sealed class SpawnSites
{
    /// <summary>Stands for what is not known, and for those beyond the bound.</summary>
    public const int Other = 0;

    /// <summary>Stands for code that runs beside its goroutine: an async method that was called and not awaited at once.</summary>
    public const int NotAwaited = 1;

    private const int Most = 4096;

    private readonly Dictionary<(string File, int Line), int> _numbers = new(Comparer.Instance);
    private readonly List<string> _names = ["(other)", "(not awaited)"];
    private long[] _spawned = new long[16];
    private long[] _running = new long[16];

    public int Count => _names.Count;

    public string NameOf(int site) => _names[site];

    public int NumberOf(string? file, int line)
    {
        if (string.IsNullOrEmpty(file))
            return Other;
        if (_numbers.TryGetValue((file, line), out int number))
            return number;
        if (_names.Count >= Most)
            return Other;
        number = _names.Count;
        _names.Add($"{Path.GetFileName(file)}:{line}");
        _numbers.Add((file, line), number);
        if (number >= _spawned.Length)
        {
            Array.Resize(ref _spawned, 2 * number);
            Array.Resize(ref _running, 2 * number);
        }
        return number;
    }

    public void CountSpawn(int site) => _spawned[site]++;

    /// <param name="site">Where what ran was spawned.</param>
    /// <param name="nanoseconds">How long it ran.</param>
    public void CountRun(int site, long nanoseconds) => _running[site] += nanoseconds;

    /// <summary>What has been counted for a place since the last <see cref="Clear"/>.</summary>
    public (long Spawned, long Nanoseconds) CountsOf(int site) => (_spawned[site], _running[site]);

    public void Clear()
    {
        Array.Clear(_spawned);
        Array.Clear(_running);
    }

    // Paths are the compiler's constants: the same object for the same place.
    private sealed class Comparer : IEqualityComparer<(string File, int Line)>
    {
        public static Comparer Instance { get; } = new();

        public bool Equals((string File, int Line) x, (string File, int Line) y) => ReferenceEquals(x.File, y.File) && x.Line == y.Line;

        public int GetHashCode((string File, int Line) site) => RuntimeHelpers.GetHashCode(site.File) ^ site.Line;
    }
}
