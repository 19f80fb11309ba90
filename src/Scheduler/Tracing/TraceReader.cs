namespace NetGo;

/// <summary>Reads the rings of a <see cref="TraceObserver"/>, each from where it stopped last, as one sequence in the order of time. One thread at a
/// time.</summary>
internal sealed class TraceReader
{
    private readonly TraceObserver _tracer;
    private readonly long[] _places = new long[IdleProcessors.Max + 2];
    private readonly List<TraceEntry> _read = [];
    private readonly List<(int Next, int End)> _runs = [];

    /// <param name="tracer">Whose rings.</param>
    /// <param name="fromNow">Without what is in them already.</param>
    public TraceReader(TraceObserver tracer, bool fromNow)
    {
        _tracer = tracer;
        if (!fromNow)
            return;
        for (int i = 0; i < tracer.Rings.Length; i++)
            _places[i] = tracer.Rings[i]?.Written ?? 0;
        _places[^2] = tracer.Others.Written;
        _places[^1] = tracer.Runtime.Written;
    }

    /// <summary>Appends the entries up to a time, and returns how many are missing, which were overwritten before they could be read.</summary>
    public long Read(long until, List<TraceEntry> entries)
    {
        _read.Clear();
        _runs.Clear();
        long lost = 0;
        for (int i = 0; i < _tracer.Rings.Length; i++)
        {
            if (_tracer.Rings[i] is { } ring)
                lost += Read(ring, ref _places[i], until);
        }
        lost += Read(_tracer.Others, ref _places[^2], until);
        int runtime = _read.Count;
        lost += Read(_tracer.Runtime, ref _places[^1], until);
        _read.Sort(runtime, _read.Count - runtime, Comparer<TraceEntry>.Create(static (a, b) => a.Record.Time.CompareTo(b.Record.Time)));
        Merge(entries);
        return lost;
    }

    private long Read(TraceRing ring, ref long place, long until)
    {
        int before = _read.Count;
        long lost = ring.Read(ref place, until, _read);
        if (_read.Count > before)
            _runs.Add((before, _read.Count));
        return lost;
    }

    // There are about as many runs as processors: the one that comes next is looked for among all.
    private void Merge(List<TraceEntry> entries)
    {
        while (_runs.Count > 0)
        {
            int first = 0;
            for (int i = 1; i < _runs.Count; i++)
            {
                if (_read[_runs[i].Next].Record.Time < _read[_runs[first].Next].Record.Time)
                    first = i;
            }
            (int next, int end) = _runs[first];
            entries.Add(_read[next]);
            if (++next == end)
                _runs.RemoveAt(first);
            else
                _runs[first] = (next, end);
        }
    }
}
