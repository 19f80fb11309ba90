namespace NetGo.Diagnostics;

// What one processor ran, since the last Take. A processor that is under load runs a hundred thousand goroutines a second: what is shorter than LongSlice
// is merged with its neighbours into a block, which knows how many they were, how long they ran, and where most of them were spawned.
// So a second has at most so many items as it is told, whatever happens.
internal sealed class TimelineRow(SpawnSites sites)
{
    private const long LongSlice = 1_000_000; // nanoseconds
    private const long BlockLength = 10_000_000;
    private const int BlockSites = 16;

    private readonly List<Item> _items = [];
    private readonly List<(long From, long To)> _gaps = [];
    private readonly List<(int Site, long Time)> _blockSites = [];
    private Item _block; // Runs is 0 when there is none
    private long _goroutine;
    private int _site;
    private long _since;
    private bool _runs;

    /// <summary>A stretch of time; nanoseconds.</summary>
    public record struct Item(long From, long To, int Site, long Goroutine, int Runs, long Busy, byte End);

    public IReadOnlyList<Item> Items => _items;

    public IReadOnlyList<(long From, long To)> Gaps => _gaps;

    public long Lost { get; private set; }

    /// <summary>How many items it may have.</summary>
    public int Limit { get; set; }

    /// <summary>The time of the last that is known of it.</summary>
    public long LastTime { get; private set; }

    /// <summary>What runs; 0 for nothing.</summary>
    public long Goroutine => _runs ? _goroutine : 0;

    public int Site => _site;

    public void Start(long time, long goroutine, int site)
    {
        End(time, SliceEnd.Unknown);
        (_goroutine, _site, _since, _runs) = (goroutine, site, time, true);
    }

    public void End(long time, byte end)
    {
        LastTime = time;
        if (!_runs)
            return;
        _runs = false;
        Add(new Item(_since, time, _site, _goroutine, 1, time - _since, end));
    }

    /// <summary>Events up to a time have not been recorded.</summary>
    public void Skip(long until, long lost)
    {
        Lost += lost;
        long from = LastTime == 0 ? until : LastTime;
        End(from, SliceEnd.Unknown);
        CloseBlock();
        _gaps.Add((from, until));
        LastTime = until;
    }

    /// <summary>The sample ends: what runs is cut in two.</summary>
    public void Cut(long time)
    {
        if (_runs && time - _since >= LongSlice)
        {
            Add(new Item(_since, time, _site, _goroutine, 1, time - _since, SliceEnd.RunsOn));
            _since = time;
        }
        CloseBlock();
    }

    public void Clear()
    {
        _items.Clear();
        _gaps.Clear();
        Lost = 0;
    }

    private void Add(Item slice)
    {
        sites.CountRun(slice.Site, slice.Busy);
        bool isFull = _items.Count >= Limit;
        if (slice.Busy >= LongSlice && !isFull)
        {
            CloseBlock();
            _items.Add(slice);
            return;
        }
        if (_block.Runs > 0 && !isFull && (slice.From - _block.To >= LongSlice || slice.To - _block.From > BlockLength))
            CloseBlock();
        if (_block.Runs == 0)
            _block = slice with { Runs = 0, Busy = 0 };
        _block.To = slice.To;
        _block.Runs++;
        _block.Busy += slice.Busy;
        if (_block.Goroutine != slice.Goroutine)
            _block.Goroutine = 0;
        _block.End = _block.Runs == 1 ? slice.End : SliceEnd.Several;
        for (int i = 0; i < _blockSites.Count; i++)
        {
            if (_blockSites[i].Site == slice.Site)
            {
                _blockSites[i] = (slice.Site, _blockSites[i].Time + slice.Busy);
                return;
            }
        }
        if (_blockSites.Count < BlockSites)
            _blockSites.Add((slice.Site, slice.Busy));
    }

    private void CloseBlock()
    {
        if (_block.Runs == 0)
            return;
        long most = -1;
        foreach ((int site, long time) in _blockSites)
        {
            if (time > most)
                (_block.Site, most) = (site, time);
        }
        _items.Add(_block);
        _block = default;
        _blockSites.Clear();
    }
}
