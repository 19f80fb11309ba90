using System.Diagnostics;

namespace NetGo.Diagnostics;

// Counts the goroutines by going over all of them. A million of them take a few tenths of a second, most of it waits for memory: so it is done in
// pieces, of which each one ends when its time is over. What is counted is then of several seconds; nobody is stopped or kept waiting for it.
internal sealed class GoroutineCensus(GoScheduler scheduler, SpawnSites sites)
{
    private const int LooksAtTheClock = 256; // goroutines between two of them
    private const int TopByCount = 20;
    private const int TopByRate = 8;

    private static readonly GoroutineStatus[] s_states =
        [GoroutineStatus.Running, GoroutineStatus.Runnable, GoroutineStatus.Waiting, GoroutineStatus.Syscall];

    private readonly long[] _states = new long[Enum.GetValues<GoroutineStatus>().Length];
    private readonly long[] _waits = new long[Enum.GetValues<WaitReason>().Length];
    private int[] _count = new int[64];
    private int[] _waiting = new int[64];
    private IEnumerator<Goroutine>? _all;
    private long _began;

    /// <summary>Told of each goroutine, with where it was spawned.</summary>
    public Action<long, int>? Found { get; set; }

    /// <summary>Some have been counted, and not all.</summary>
    public bool IsUnderWay => _all is not null;

    /// <summary>Goes on for so long at most. True when all have been counted: <see cref="Describe"/> has the outcome, and the next call begins
    /// anew.</summary>
    public bool Advance(TimeSpan atMost)
    {
        long start = Stopwatch.GetTimestamp();
        long end = start + (long)(atMost.TotalSeconds * Stopwatch.Frequency);
        if (_all is null)
        {
            Array.Clear(_states);
            Array.Clear(_waits);
            Array.Clear(_count);
            Array.Clear(_waiting);
            _all = scheduler.AllGoroutines.GetEnumerator();
            _began = start;
        }
        for (int i = 1; ; i++)
        {
            if (!_all.MoveNext())
                break;
            Count(_all.Current);
            if (i % LooksAtTheClock == 0 && Stopwatch.GetTimestamp() >= end)
                return false;
        }
        _all.Dispose();
        _all = null;
        return true;
    }

    /// <summary>Begins anew, and goes on for so long at most.</summary>
    public void Restart(TimeSpan atMost)
    {
        _all?.Dispose();
        _all = null;
        Advance(atMost);
    }

    /// <summary>What has been counted.</summary>
    /// <param name="seconds">Since when spawns and runs have been counted; 0 when they have not.</param>
    public PopulationSample Describe(double seconds)
    {
        var states = new List<NamedCount>();
        long total = 0;
        foreach (GoroutineStatus state in s_states)
        {
            states.Add(new NamedCount(GoroutineInfo.Words(state.ToString()), _states[(int)state]));
            total += _states[(int)state];
        }
        var waits = new List<NamedCount>();
        for (int reason = 0; reason < _waits.Length; reason++)
        {
            if (_waits[reason] > 0)
                waits.Add(new NamedCount(GoroutineInfo.Words(((WaitReason)reason).ToString()), _waits[reason]));
        }
        waits.Sort(static (a, b) => b.Count.CompareTo(a.Count));
        return new PopulationSample(
            DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), Math.Round(Stopwatch.GetElapsedTime(_began).TotalMilliseconds, 3), total, states, waits,
            DescribeSites(seconds), _count.Count(static c => c > 0));
    }

    private void Count(Goroutine g)
    {
        GoroutineStatus state = g.Status;
        if (state is GoroutineStatus.Idle or GoroutineStatus.Dead)
            return;
        int site = sites.NumberOf(g.SpawnFile, g.SpawnLine);
        if (site >= _count.Length)
        {
            Array.Resize(ref _count, 2 * site);
            Array.Resize(ref _waiting, 2 * site);
        }
        _states[(int)state]++;
        _count[site]++;
        if (state == GoroutineStatus.Waiting)
        {
            _waits[(int)g.WaitReason]++;
            _waiting[site]++;
        }
        if (!g.IsBranch)
            Found?.Invoke(g.Id, site);
    }

    private List<SiteSample> DescribeSites(double seconds)
    {
        var all = new List<(int Site, long Count, long Spawned, long Running)>();
        for (int site = 0; site < sites.Count; site++)
        {
            long count = site < _count.Length ? _count[site] : 0;
            (long spawned, long running) = sites.CountsOf(site);
            if (count > 0 || spawned > 0 || running > 0)
                all.Add((site, count, spawned, running));
        }
        var chosen = new HashSet<int>();
        Choose(TopByCount, static s => s.Count);
        if (seconds > 0)
        {
            Choose(TopByRate, static s => s.Spawned);
            Choose(TopByRate, static s => s.Running);
        }
        return
        [
            .. all.Where(s => chosen.Contains(s.Site)).OrderByDescending(static s => s.Count).Select(s => new SiteSample(
                sites.NameOf(s.Site), s.Count, s.Site < _waiting.Length ? _waiting[s.Site] : 0,
                seconds > 0 ? Math.Round(s.Spawned / seconds, 1) : null,
                seconds > 0 ? Math.Round(s.Running * 1e-9 / seconds, 4) : null)),
        ];

        void Choose(int most, Func<(int Site, long Count, long Spawned, long Running), long> by)
        {
            foreach ((int site, _, _, _) in all.Where(s => by(s) > 0).OrderByDescending(by).Take(most))
                chosen.Add(site);
        }
    }
}
