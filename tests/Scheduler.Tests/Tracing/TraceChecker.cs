using System.Buffers;

namespace NetGo.Tests;

/// <summary>Accepts a trace that Go's viewer would accept, and keeps its events. Written from the rules that Go 1.19's parser checks, without regard to
/// how <see cref="TraceReplay"/> comes to keep them.</summary>
internal sealed class TraceChecker : ITraceWriter
{
    private readonly Dictionary<long, (string State, int Sequence)> _goroutines = [];
    private readonly Dictionary<int, (bool Runs, long Goroutine)> _rows = [];
    private readonly Dictionary<long, Stack<(long, string)>> _regions = [];
    private readonly HashSet<long> _everCreated = [];
    private readonly HashSet<long> _tasks = [];
    private bool _collecting;
    private bool _paused;
    private long _time;

    public List<TraceStep> Events { get; } = [];

    public ArrayBufferWriter<byte> Output { get; } = new();

    public List<string> RowNames { get; } = [];

    public void Begin(long time, int processors) => _time = time;

    public void NameRow(int row, string name)
    {
        Assert.Equal(RowNames.Count, row);
        RowNames.Add(name);
    }

    public void Flush()
    {
    }

    public void End()
    {
        Assert.False(_collecting);
        Assert.False(_paused);
        Assert.DoesNotContain(_goroutines.Values, static g => g.State == "running"); // `go tool trace` reads it, but the viewer's pages break down
    }

    public void Write(in TraceStep e)
    {
        Events.Add(e);
        Assert.True(e.Time >= _time, $"{e} is before what came before it.");
        _time = e.Time;
        Assert.InRange(e.Row, -1, RowNames.Count - 1);
        switch (e.Kind)
        {
            case TraceStepKind.RowStarts:
                Assert.False(RowOf(e).Runs, $"{e}: runs already");
                _rows[e.Row] = (true, 0);
                break;
            case TraceStepKind.RowStops:
                Assert.Equal((true, 0), RowOf(e));
                _rows[e.Row] = (false, 0);
                break;
            case TraceStepKind.Created:
                Assert.True(_everCreated.Add(e.Goroutine) || !_goroutines.ContainsKey(e.Goroutine), $"{e}: exists already");
                _goroutines[e.Goroutine] = ("runnable", 1);
                break;
            case TraceStepKind.WasWaiting:
                Move(e, "runnable", "waiting", 1);
                _goroutines[e.Goroutine] = ("waiting", 2);
                break;
            case TraceStepKind.Starts:
                Assert.Equal((true, 0), RowOf(e));
                Move(e, "runnable", "running", e.Sequence);
                _goroutines[e.Goroutine] = ("running", e.Sequence + 1);
                _rows[e.Row] = (true, e.Goroutine);
                break;
            case TraceStepKind.Ends:
                Leave(e, "dead");
                _goroutines.Remove(e.Goroutine);
                _regions.Remove(e.Goroutine);
                break;
            case TraceStepKind.Yields or TraceStepKind.Preempted:
                Leave(e, "runnable");
                break;
            case TraceStepKind.Blocks or TraceStepKind.SyscallBlocks:
                Leave(e, "waiting");
                break;
            case TraceStepKind.EntersSyscall:
                Assert.Equal((true, e.Goroutine), RowOf(e));
                break;
            case TraceStepKind.Unblocked or TraceStepKind.SyscallEnds:
                Move(e, "waiting", "runnable", e.Sequence);
                _goroutines[e.Goroutine] = ("runnable", e.Sequence + 1);
                break;
            default:
                WriteOther(e);
                break;
        }
    }

    private void WriteOther(in TraceStep e)
    {
        switch (e.Kind)
        {
            case TraceStepKind.TaskBegins:
                Assert.True(_tasks.Add(e.Value));
                break;
            case TraceStepKind.TaskEnds:
                Assert.True(_tasks.Remove(e.Value));
                break;
            case TraceStepKind.RegionBegins:
                Assert.Equal((true, e.Goroutine), RowOf(e));
                RegionsOf(e.Goroutine).Push((e.Value, (string)e.Reference!));
                break;
            case TraceStepKind.RegionEnds:
                Assert.Equal((true, e.Goroutine), RowOf(e));
                Assert.Equal((e.Value, (string)e.Reference!), RegionsOf(e.Goroutine).Pop());
                break;
            case TraceStepKind.CollectionBegins:
                Assert.False(_collecting);
                _collecting = true;
                break;
            case TraceStepKind.CollectionEnds:
                Assert.True(_collecting);
                _collecting = false;
                break;
            case TraceStepKind.PauseBegins:
                Assert.False(_paused);
                _paused = true;
                break;
            case TraceStepKind.PauseEnds:
                Assert.True(_paused);
                _paused = false;
                break;
        }
    }

    private (bool Runs, long Goroutine) RowOf(in TraceStep e) => _rows.GetValueOrDefault(e.Row);

    private Stack<(long, string)> RegionsOf(long goroutine)
    {
        if (!_regions.TryGetValue(goroutine, out Stack<(long, string)>? regions))
            _regions.Add(goroutine, regions = []);
        return regions;
    }

    private void Move(in TraceStep e, string from, string to, int sequence)
    {
        Assert.True(_goroutines.TryGetValue(e.Goroutine, out (string State, int Sequence) g), $"{e}: does not exist");
        Assert.Equal((from, sequence), g);
        _goroutines[e.Goroutine] = (to, sequence);
    }

    private void Leave(in TraceStep e, string to)
    {
        Assert.Equal((true, e.Goroutine), RowOf(e));
        Assert.Equal("running", _goroutines[e.Goroutine].State);
        _goroutines[e.Goroutine] = (to, _goroutines[e.Goroutine].Sequence);
        _rows[e.Row] = (true, 0);
    }
}
