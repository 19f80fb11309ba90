namespace NetGo;

// Reads the rings of a TraceObserver, each from where it stopped last, as one sequence in the order of time. What is in a ring is taken out at each
// look, so that nothing waits there to be overwritten; what is newer than asked for waits here.

/// <summary>Reads the rings of a <see cref="TraceObserver"/>. One thread at a time.</summary>
internal sealed class TraceReader
{
    private static readonly Comparer<TraceEntry> s_byTime = Comparer<TraceEntry>.Create(static (a, b) => a.Record.Time.CompareTo(b.Record.Time));

    private readonly TraceObserver _tracer;
    private readonly Source?[] _ofProcessors = new Source?[IdleProcessors.Max];
    private readonly Source _others;
    private readonly Source _runtime;
    private readonly List<TraceEntry> _read = [];

    private sealed class Source(TraceRing ring, bool fromNow)
    {
        public readonly TraceRing Ring = ring;
        public readonly Queue<TraceEntry> Pending = new();
        public long Place = fromNow ? ring.Written : 0;
    }

    /// <param name="tracer">Whose rings.</param>
    /// <param name="fromNow">Without what is in them already.</param>
    public TraceReader(TraceObserver tracer, bool fromNow)
    {
        _tracer = tracer;
        _others = new Source(tracer.Others, fromNow);
        _runtime = new Source(tracer.Runtime, fromNow);
        for (int i = 0; fromNow && i < _ofProcessors.Length; i++)
            _ofProcessors[i] = tracer.Rings[i] is { } ring ? new Source(ring, fromNow) : null;
    }

    /// <summary>Appends the entries up to a time, and returns how many are missing, which were overwritten before they could be read.</summary>
    public long Read(long until, List<TraceEntry> entries)
    {
        long lost = 0;
        var sources = new List<Source>();
        for (int i = 0; i < _ofProcessors.Length; i++)
        {
            if (_tracer.Rings[i] is { } ring)
                sources.Add(_ofProcessors[i] ??= new Source(ring, fromNow: false));
        }
        sources.Add(_others);
        foreach (Source source in sources)
            lost += Take(source, sort: false);
        lost += Take(_runtime, sort: true);
        sources.Add(_runtime);
        Merge(sources, until, entries);
        return lost;
    }

    private long Take(Source source, bool sort)
    {
        _read.Clear();
        long lost = source.Ring.Read(ref source.Place, long.MaxValue, _read);
        if (sort && _read.Count > 0)
        {
            _read.AddRange(source.Pending);
            source.Pending.Clear();
            _read.Sort(s_byTime);
        }
        foreach (TraceEntry entry in _read)
            source.Pending.Enqueue(entry);
        return lost;
    }

    // There are about as many as processors: the one that comes next is looked for among all.
    private static void Merge(List<Source> sources, long until, List<TraceEntry> entries)
    {
        while (true)
        {
            Source? first = null;
            long time = until;
            foreach (Source source in sources)
            {
                if (source.Pending.TryPeek(out TraceEntry entry) && (first is null ? entry.Record.Time <= time : entry.Record.Time < time))
                    (first, time) = (source, entry.Record.Time);
            }
            if (first is null)
                return;
            entries.Add(first.Pending.Dequeue());
        }
    }
}
