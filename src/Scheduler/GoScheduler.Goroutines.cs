using System.Runtime.CompilerServices;

namespace NetGo;

// Which goroutines there are.
public sealed partial class GoScheduler
{
    private readonly GoroutineRegistry _registry = new();

    /// <summary>The goroutines that exist, in the order of their ids, with what each waits for; Go's runtime.GoroutineProfile. What runs may
    /// have moved on when this returns.</summary>
    public IReadOnlyList<GoroutineInfo> Goroutines() => List(withFrames: false);

    /// <summary>As <see cref="Goroutines"/>, with the async methods that each one waits in. That takes some microseconds for each, and
    /// nobody is stopped for it. With Native AOT there are none.</summary>
    public IReadOnlyList<GoroutineInfo> GoroutineStacks() => List(withFrames: true);

    /// <summary>The objects of all goroutines, those that are not in use included.</summary>
    internal IEnumerable<Goroutine> AllGoroutines => _registry.All();

    /// <summary>An object for a goroutine, when there is none to be used again.</summary>
    /// <param name="place">The number of the processor or thread that asks.</param>
    internal Goroutine MakeGoroutine(int place)
    {
        var g = new Goroutine(this);
        _registry.Add(g, place);
        return g;
    }

    private List<GoroutineInfo> List(bool withFrames)
    {
        GoroutineScan.StampWaiting(this);
        uint now = GoroutineScan.Stamp(Now());
        var sites = new Dictionary<(string, int), string>(SpawnSiteComparer.Instance);
        Dictionary<Goroutine, int> threads = ThreadsOfGoroutines();
        var list = new List<GoroutineInfo>();
        foreach (Goroutine g in AllGoroutines)
        {
            if (g.TryDescribe(now, sites, withFrames, threads) is { } info)
                list.Add(info);
        }
        list.Sort(static (a, b) => (a.Id, a.IsBranch, a.WaitReason).CompareTo((b.Id, b.IsBranch, b.WaitReason)));
        return list;
    }

    private Dictionary<Goroutine, int> ThreadsOfGoroutines()
    {
        var threads = new Dictionary<Goroutine, int>(ReferenceEqualityComparer.Instance);
        lock (_lock)
        {
            foreach (Machine machine in _allMachines)
            {
                if (machine.Current is { } running)
                    threads[running] = machine.Clock.ThreadId;
            }
        }
        return threads;
    }

    // Paths are the compiler's constants: the same object for the same site, most often.
    private sealed class SpawnSiteComparer : IEqualityComparer<(string File, int Line)>
    {
        public static SpawnSiteComparer Instance { get; } = new();

        public bool Equals((string File, int Line) x, (string File, int Line) y) => ReferenceEquals(x.File, y.File) && x.Line == y.Line;

        public int GetHashCode((string File, int Line) site) => RuntimeHelpers.GetHashCode(site.File) ^ site.Line;
    }
}
