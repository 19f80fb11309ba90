namespace NetGo;

/// <summary>The list of goroutines that exist, branches included; Go's allgs. Kept only when somebody asks for it.</summary>
internal sealed class GoroutineTracker
{
    private readonly Lock _lock = new();
    private readonly HashSet<Goroutine> _all = [];

    public int Count
    {
        get
        {
            lock (_lock)
                return _all.Count;
        }
    }

    public void Add(Goroutine g)
    {
        lock (_lock)
            _all.Add(g);
    }

    public void Remove(Goroutine g)
    {
        lock (_lock)
            _all.Remove(g);
    }

    public List<GoroutineInfo> Snapshot()
    {
        lock (_lock)
        {
            return [.. _all
                .Select(static g => new GoroutineInfo(g.Id, g.SpawnSite, g.Status, g.WaitReason, g.IsBranch))
                .OrderBy(static g => g.Id).ThenBy(static g => g.IsBranch).ThenBy(static g => g.WaitReason)];
        }
    }
}
