using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace NetGo;

// The trace event format of Chrome, in JSON, which ui.perfetto.dev and each Chromium's chrome://tracing open
// ("Trace Event Format", Google). Process 1 has a thread for each row, with a slice for each time that a goroutine runs, from which an arrow leads to the
// slice of one that it wakes; process 2 the tasks, regions and logs of users; counters are how many goroutines there are and are runnable,
// what pollers bring, and the heap.
internal sealed class PerfettoTraceWriter : ITraceWriter
{
    private const int Rows = 1;
    private const int Users = 2;
    private const int CollectorThread = 1_000_000;
    private const long CountInterval = 100_000; // nanoseconds

    private readonly Utf8JsonWriter _json;
    private readonly Dictionary<long, G> _goroutines = [];
    private readonly Dictionary<int, Slice> _running = [];
    private readonly Dictionary<long, string> _tasks = [];
    private long _begin;
    private long _pauseSince;
    private long _collectionSince;
    private long _generation;
    private long _runnable;
    private long _lastFlow;
    private long _lastCount;

    public PerfettoTraceWriter() => _json = new Utf8JsonWriter(Output);

    private sealed class G(string site)
    {
        public readonly string Site = site;
        public long Flow; // an arrow that leads to its next start
    }

    private readonly record struct Slice(long Goroutine, long Since);

    public ArrayBufferWriter<byte> Output { get; } = new(64 * 1024);

    public void Begin(long time, int processors)
    {
        _begin = time;
        _json.WriteStartObject();
        _json.WriteString("displayTimeUnit", "ns");
        _json.WriteStartArray("traceEvents");
        Name("process_name", Rows, 0, "Processors");
        Name("process_name", Users, 0, "Tasks and regions");
        Name("thread_name", Rows, CollectorThread, "Garbage collector");
    }

    public void NameRow(int row, string name)
    {
        Name("thread_name", Rows, row + 1, name);
        Open("thread_sort_index", "M", _begin, Rows, row + 1);
        _json.WriteStartObject("args");
        _json.WriteNumber("sort_index", row);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    public void Write(in TraceStep e)
    {
        switch (e.Kind)
        {
            case TraceStepKind.Created:
                _goroutines[e.Goroutine] = new G((string)e.Reference!);
                _runnable++;
                Count(e.Time);
                break;
            case TraceStepKind.WasWaiting:
                _runnable--;
                break;
            case TraceStepKind.Starts:
                _running[e.Row] = new Slice(e.Goroutine, e.Time);
                _runnable--;
                Count(e.Time);
                break;
            case TraceStepKind.Yields or TraceStepKind.Preempted:
                EndSlice(e, e.Kind == TraceStepKind.Yields ? "yields" : "preempted: its time slice is over");
                _runnable++;
                Count(e.Time);
                break;
            case TraceStepKind.Blocks:
                EndSlice(e, ((WaitReason)e.Detail).ToString());
                break;
            case TraceStepKind.SyscallBlocks:
                EndSlice(e, "blocked its thread");
                break;
            case TraceStepKind.Ends:
                EndSlice(e, "ends");
                _goroutines.Remove(e.Goroutine);
                Count(e.Time);
                break;
            case TraceStepKind.Unblocked or TraceStepKind.SyscallEnds:
                _runnable++;
                Count(e.Time);
                BeginFlow(e);
                break;
            case TraceStepKind.EntersSyscall:
                Instant(e.Time, Rows, e.Row + 1, "enters a blocking call");
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
                _tasks[e.Value] = (string)e.Reference!;
                Async("b", e, (string)e.Reference!, $"task {e.Value}");
                break;
            case TraceStepKind.TaskEnds:
                _tasks.Remove(e.Value, out string? task);
                Async("e", e, task ?? "", $"task {e.Value}");
                break;
            case TraceStepKind.RegionBegins:
                Async("b", e, (string)e.Reference!, RegionId(e));
                break;
            case TraceStepKind.RegionEnds:
                Async("e", e, (string)e.Reference!, RegionId(e));
                break;
            case TraceStepKind.Log:
                var message = (TraceMessage)e.Reference!;
                Instant(e.Time, e.Row < 0 ? Users : Rows, e.Row + 1, message.Category.Length == 0 ? message.Message : $"{message.Category}: {message.Message}");
                break;
            case TraceStepKind.CollectionBegins:
                (_collectionSince, _generation) = (e.Time, e.Value);
                break;
            case TraceStepKind.CollectionEnds:
                Complete(_collectionSince, e.Time, CollectorThread, $"GC of generation {_generation}");
                _json.WriteEndObject();
                break;
            case TraceStepKind.PauseBegins:
                _pauseSince = e.Time;
                break;
            case TraceStepKind.PauseEnds:
                Complete(_pauseSince, e.Time, CollectorThread, "all threads stopped");
                _json.WriteEndObject();
                break;
            case TraceStepKind.Heap:
                Counter(e.Time, "heap", "bytes", e.Value);
                break;
            case TraceStepKind.Polled when e.Value > 0:
                Counter(e.Time, $"ready by poller {e.Row}", "goroutines", e.Value);
                break;
            case TraceStepKind.TimersFired:
                Instant(e.Time, Rows, e.Row + 1, $"{e.Value} timers");
                break;
            case TraceStepKind.Stolen:
                Instant(e.Time, Rows, e.Row + 1, $"stolen from P{e.Value}");
                break;
            case TraceStepKind.HandedOff:
                Instant(e.Time, Rows, e.Row + 1, $"handed off: {(HandOffReason)e.Detail}");
                break;
        }
    }

    public void Flush() => _json.Flush();

    public void End()
    {
        _json.WriteEndArray();
        _json.WriteEndObject();
        _json.Flush();
    }

    private static string RegionId(in TraceStep e) => $"goroutine {e.Goroutine}";

    // ---- Slices and arrows ----

    private void EndSlice(in TraceStep e, string how)
    {
        if (!_running.Remove(e.Row, out Slice slice))
            return;
        G? g = _goroutines.GetValueOrDefault(slice.Goroutine);
        Complete(slice.Since, e.Time, e.Row + 1, $"G{GoroutineName(slice.Goroutine)} {g?.Site}");
        _json.WriteStartObject("args");
        _json.WriteString("end", how);
        if (e.Reference is Type type)
            _json.WriteString("waits in", MethodNames.OfBox(type));
        _json.WriteEndObject();
        _json.WriteEndObject();
        if (g is not { Flow: > 0 })
            return;
        Open("wakes", "f", slice.Since, Rows, e.Row + 1);
        _json.WriteString("cat", "wake");
        _json.WriteNumber("id", g.Flow);
        _json.WriteString("bp", "e");
        _json.WriteEndObject();
        g.Flow = 0;
    }

    private void BeginFlow(in TraceStep e)
    {
        if (e.Row < 0 || !_running.ContainsKey(e.Row) || !_goroutines.TryGetValue(e.Goroutine, out G? g))
            return;
        g.Flow = ++_lastFlow;
        Open("wakes", "s", e.Time, Rows, e.Row + 1);
        _json.WriteString("cat", "wake");
        _json.WriteNumber("id", g.Flow);
        _json.WriteEndObject();
    }

    private static string GoroutineName(long id) =>
        id < TraceObserver.FirstBranch ? id.ToString(CultureInfo.InvariantCulture) : $" (not awaited {id - TraceObserver.FirstBranch})";

    // ---- The format ----

    private void Open(string name, string phase, long time, int process, int thread)
    {
        _json.WriteStartObject();
        _json.WriteString("name", name);
        _json.WriteString("ph", phase);
        _json.WriteNumber("ts", Microseconds(time));
        _json.WriteNumber("pid", process);
        _json.WriteNumber("tid", thread);
    }

    private decimal Microseconds(long time) => (time - _begin) / 1000m;

    private void Complete(long since, long until, int thread, string name)
    {
        Open(name, "X", since, Rows, thread);
        _json.WriteNumber("dur", (until - since) / 1000m);
    }

    private void Instant(long time, int process, int thread, string name)
    {
        Open(name, "i", time, process, thread);
        _json.WriteString("s", "t");
        _json.WriteEndObject();
    }

    private void Async(string phase, in TraceStep e, string name, string id)
    {
        Open(name, phase, e.Time, Users, 0);
        _json.WriteString("cat", "user");
        _json.WriteString("id", id);
        if (phase == "b")
        {
            _json.WriteStartObject("args");
            _json.WriteString("goroutine", GoroutineName(e.Goroutine));
            if (_tasks.TryGetValue(e.Value, out string? task))
                _json.WriteString("task", task);
            _json.WriteEndObject();
        }
        _json.WriteEndObject();
    }

    private void Count(long time)
    {
        if (time - _lastCount < CountInterval)
            return;
        _lastCount = time;
        Open("goroutines", "C", time, Rows, 0);
        _json.WriteStartObject("args");
        _json.WriteNumber("runnable", _runnable);
        _json.WriteNumber("other", _goroutines.Count - _runnable);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private void Counter(long time, string name, string unit, long value)
    {
        Open(name, "C", time, Rows, 0);
        _json.WriteStartObject("args");
        _json.WriteNumber(unit, value);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private void Name(string kind, int process, int thread, string name)
    {
        Open(kind, "M", _begin, process, thread);
        _json.WriteStartObject("args");
        _json.WriteString("name", name);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }
}
