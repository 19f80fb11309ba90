namespace NetGo.Diagnostics;

// Makes the timeline from the rings of the execution trace, which is on for as long as this lives. Each ring is gone through by itself: it is in the order
// of time, and all that happens on a processor is in its own, but for the hand-off, which sysmon tells. What has been overwritten before it was read is
// a gap in that row. One thread at a time.
internal sealed class TimelineRecorder : IDisposable
{
    private const int ItemsPerSample = 1500;
    private const int FewestItemsPerRow = 40;
    private const int MostItemsPerRow = 400;
    private const int MostKnown = 64 * 1024; // goroutines
    private const int MostHandOffs = 200; // per sample
    private const int MostPauses = 200;
    private const long Margin = 5_000_000; // nanoseconds: by then who has looked at the clock has written

    private readonly GoScheduler _scheduler;
    private readonly SpawnSites _sites;
    private readonly TraceObserver _tracer;
    private readonly long _origin;
    private readonly long[] _places = new long[IdleProcessors.Max];
    private readonly TimelineRow?[] _rows = new TimelineRow?[IdleProcessors.Max];
    private readonly Dictionary<long, int> _siteOf = [];
    private readonly List<TraceEntry> _entries = [];
    private readonly List<(int Processor, int Begin, int End, long Lost)> _read = [];
    private readonly List<TraceEntry> _others = [];
    private readonly List<long> _ended = [];
    private readonly List<TraceRecord> _handedOff = [];
    private readonly Dictionary<long, TimelineHandOff> _open = []; // by goroutine
    private readonly List<TimelineHandOff> _handOffs = [];
    private readonly List<long> _pauses = [];
    private readonly List<long> _collections = [];
    private readonly Stack<(long Since, long Generation)> _collecting = [];
    private long _pausedSince;
    private long _othersPlace;
    private long _runtimePlace;
    private long _lastHandOff;
    private long _from;
    private long _to;

    public TimelineRecorder(GoScheduler scheduler, SpawnSites sites)
    {
        _scheduler = scheduler;
        _sites = sites;
        _tracer = scheduler.AcquireTracer(collections: true);
        for (int i = 0; i < _places.Length; i++)
            _places[i] = _tracer.Rings[i]?.Written ?? 0;
        _othersPlace = _tracer.Others.Written;
        _runtimePlace = _tracer.Runtime.Written;
        _origin = _from = _to = TraceObserver.Now();
    }

    public void Dispose() => _scheduler.ReleaseTracer(_tracer, collections: true);

    /// <summary>A goroutine that there is.</summary>
    public void Learn(long id, int site)
    {
        if (_siteOf.Count < MostKnown)
            _siteOf.TryAdd(id, site);
    }

    /// <summary>Reads what has come since the last time.</summary>
    public void Drain()
    {
        long until = TraceObserver.Now() - Margin;
        _others.Clear();
        _handedOff.Clear();
        _tracer.Others.Read(ref _othersPlace, until, _others);
        foreach (TraceEntry entry in _others)
        {
            if (entry.Record is { Kind: TraceRecordKind.HandedOff, Processor: >= 0 })
                _handedOff.Add(entry.Record);
        }
        _entries.Clear();
        _read.Clear();
        for (int i = 0; i < _rows.Length; i++)
        {
            if (_tracer.Rings[i] is not { } ring)
                continue;
            int begin = _entries.Count;
            long lost = ring.Read(ref _places[i], until, _entries);
            _read.Add((i, begin, _entries.Count, lost));
        }
        // What runs on one processor may have been spawned on another.
        LearnSpawned(_others);
        LearnSpawned(_entries);
        foreach ((int processor, int begin, int end, long lost) in _read)
            DrainRow(processor, begin, end, lost, until);
        foreach (TraceEntry entry in _others)
            OfNoProcessor(entry);
        foreach (long goroutine in _ended)
            _siteOf.Remove(goroutine);
        _ended.Clear();
        DrainRuntime();
        _to = until;
    }

    /// <summary>What has come since the last time.</summary>
    public TimelineSample Take(long number)
    {
        var names = new List<string>();
        var places = new Dictionary<int, int>();
        var rows = new List<TimelineRowSample>();
        int processors = Math.Max(1, _rows.Count(static r => r is not null));
        for (int i = 0; i < _rows.Length; i++)
        {
            if (_rows[i] is not { } row)
                continue;
            row.Cut(_to);
            rows.Add(Describe(i, row, names, places));
            row.Clear();
            row.Limit = Math.Clamp(ItemsPerSample / processors, FewestItemsPerRow, MostItemsPerRow);
        }
        long ago = TraceObserver.Now() - _to;
        var sample = new TimelineSample(
            number, Micro(_from), Micro(_to), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (ago / 1_000_000), names, rows, [.. _handOffs],
            [.. _pauses], [.. _collections]);
        _handOffs.Clear();
        _pauses.Clear();
        _collections.Clear();
        _from = _to;
        return sample;
    }

    // ---- A processor ----

    private void DrainRow(int processor, int begin, int end, long lost, long until)
    {
        TimelineRow row = _rows[processor] ??= new TimelineRow(_sites) { Limit = FewestItemsPerRow };
        if (lost > 0)
            row.Skip(end > begin ? _entries[begin].Record.Time : until, lost);
        int next = 0;
        for (int i = begin; i < end; i++)
        {
            HandOffs(row, processor, ref next, _entries[i].Record.Time);
            OfProcessor(row, _entries[i].Record);
        }
        HandOffs(row, processor, ref next, long.MaxValue);
    }

    private void OfProcessor(TimelineRow row, in TraceRecord record)
    {
        switch (record.Kind)
        {
            case TraceRecordKind.Runs:
                Close(record);
                row.Start(record.Time, record.Goroutine, SiteOf(record.Goroutine));
                break;
            case TraceRecordKind.Parks:
                Close(record);
                if (record.Goroutine == row.Goroutine)
                    row.End(record.Time, SliceEnd.Parked((WaitReason)record.Detail));
                break;
            case TraceRecordKind.Ended:
                Close(record);
                if (record.Goroutine == row.Goroutine)
                    row.End(record.Time, SliceEnd.Ended);
                _ended.Add(record.Goroutine);
                break;
            case TraceRecordKind.ProcessorStarts or TraceRecordKind.ProcessorStops:
                row.End(record.Time, SliceEnd.Unknown);
                break;
        }
    }

    private void HandOffs(TimelineRow row, int processor, ref int next, long until)
    {
        for (; next < _handedOff.Count; next++)
        {
            TraceRecord record = _handedOff[next];
            if (record.Processor != processor)
                continue;
            if (record.Time > until)
                return;
            long goroutine = row.Goroutine;
            int site = row.Site;
            row.End(record.Time, SliceEnd.HandedOff);
            if (_handOffs.Count >= MostHandOffs)
                continue;
            var handOff = new TimelineHandOff(
                ++_lastHandOff, Micro(record.Time), processor, GoroutineInfo.Words(((HandOffReason)record.Detail).ToString()), goroutine,
                goroutine == 0 ? "" : _sites.NameOf(site), null);
            _handOffs.Add(handOff);
            if (goroutine != 0 && _open.Count < MostHandOffs)
                _open[goroutine] = handOff;
        }
    }

    // ---- Without a processor ----

    private void OfNoProcessor(in TraceEntry entry)
    {
        switch (entry.Record.Kind)
        {
            case TraceRecordKind.Ended:
                Close(entry.Record);
                _ended.Add(entry.Record.Goroutine);
                break;
            case TraceRecordKind.Parks or TraceRecordKind.ExitsSyscall:
                Close(entry.Record);
                break;
        }
    }

    private void LearnSpawned(List<TraceEntry> entries)
    {
        foreach (TraceEntry entry in entries)
        {
            if (entry.Record.Kind == TraceRecordKind.Spawned)
                Spawned(entry);
        }
    }

    private void Spawned(in TraceEntry entry)
    {
        int site = _sites.NumberOf((string?)entry.Reference, (int)entry.Record.Value);
        _sites.CountSpawn(site);
        if (_siteOf.Count >= MostKnown)
            _siteOf.Clear(); // most of them will have ended unseen; the census tells of the others
        _siteOf[entry.Record.Goroutine] = site;
    }

    // The goroutine that had lost its processor has come to a point where it needs one.
    private void Close(in TraceRecord record)
    {
        if (_open.Count == 0 || !_open.TryGetValue(record.Goroutine, out TimelineHandOff? handOff) || Micro(record.Time) < handOff.Time)
            return;
        _open.Remove(record.Goroutine);
        if (_handOffs.Count < 2 * MostHandOffs)
            _handOffs.Add(handOff with { Length = Micro(record.Time) - handOff.Time });
    }

    private int SiteOf(long goroutine) =>
        goroutine >= TraceObserver.FirstBranch ? SpawnSites.NotAwaited : _siteOf.GetValueOrDefault(goroutine, SpawnSites.Other);

    private void DrainRuntime()
    {
        _entries.Clear();
        _tracer.Runtime.Read(ref _runtimePlace, long.MaxValue, _entries);
        foreach (TraceEntry entry in _entries)
        {
            TraceRecord record = entry.Record;
            switch (record.Kind)
            {
                case TraceRecordKind.PauseBegins:
                    _pausedSince = record.Time;
                    break;
                case TraceRecordKind.PauseEnds when _pausedSince > 0 && _pauses.Count < 2 * MostPauses:
                    _pauses.AddRange(Micro(_pausedSince), (record.Time - _pausedSince) / 1000);
                    _pausedSince = 0;
                    break;
                case TraceRecordKind.CollectionBegins when _collecting.Count < 8: // one in the background, and one more
                    _collecting.Push((record.Time, record.Value));
                    break;
                case TraceRecordKind.CollectionEnds when _collecting.TryPop(out (long Since, long Generation) collection) && _collections.Count < 3 * MostPauses:
                    _collections.AddRange(Micro(collection.Since), (record.Time - collection.Since) / 1000, collection.Generation);
                    break;
            }
        }
    }

    // ---- Putting into words ----

    private TimelineRowSample Describe(int processor, TimelineRow row, List<string> names, Dictionary<int, int> places)
    {
        var items = new List<long>(7 * row.Items.Count);
        foreach (TimelineRow.Item item in row.Items)
        {
            int site = item.Site == SpawnSites.Other && item.Goroutine != 0 ? SiteOf(item.Goroutine) : item.Site; // it may be known by now
            if (!places.TryGetValue(site, out int place))
            {
                places.Add(site, place = names.Count);
                names.Add(_sites.NameOf(site));
            }
            items.AddRange(Micro(item.From), (item.To - item.From) / 1000, place, item.Goroutine, item.Runs, item.Busy / 1000, item.End);
        }
        var gaps = new List<long>();
        foreach ((long from, long to) in row.Gaps)
            gaps.AddRange(Micro(from), (to - from) / 1000);
        return new TimelineRowSample(processor, items, gaps, row.Lost);
    }

    private long Micro(long time) => (time - _origin) / 1000;
}
