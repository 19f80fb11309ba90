namespace NetGo;

// Goes through the records in the order of time, knows at each what every goroutine and every row is doing, and tells a writer what has happened.
// Records may be missing (a ring was overwritten, the trace began in the midst of things), and of two threads that do something at the same
// moment the records may be in either order. Viewers refuse a trace that contradicts itself: a goroutine that runs in two places, one that is
// woken and did not wait. So what must have happened between is filled in, and counted in Repairs when that is for missing records only.
//
// A goroutine is
//
//   Runnable   from Created, Yields, Preempted, Unblocked, SyscallEnds
//   Running    from Starts, in a row
//   Waiting    from Blocks, WasWaiting
//   Detached   from SyscallBlocks: its thread has lost its processor, and is blocked, until it is heard of again
//
// A row is a processor, or, for code that runs on after its processor was taken at the end of its time slice, a thread: until it parks.
internal sealed class TraceReplay(ITraceWriter writer, Func<long, string?> spawnSiteOf)
{
    private readonly Dictionary<long, G> _goroutines = [];
    private readonly Dictionary<int, int> _rowOfProcessor = [];
    private readonly List<Row> _rows = [];
    private readonly Stack<int> _freeRows = [];
    private readonly HashSet<long> _tasks = [];
    private long _time;
    private int _collections;
    private bool _paused;

    private enum State : byte
    {
        Runnable,
        Running,
        Waiting,
        Detached,
    }

    private sealed class G(long id)
    {
        public readonly long Id = id;
        public State State;
        public int Sequence = 1;
        public int Row = -1;
        public bool InSyscall;
        public Stack<(long Task, string Name)>? Regions;
    }

    private sealed class Row
    {
        public bool Runs;
        public int Machine;
        public G? Goroutine;
        public bool IsThread;
    }

    /// <summary>How many events have been told.</summary>
    public long Events { get; private set; }

    /// <summary>How often something had to be filled in for which there should have been a record.</summary>
    public long Repairs { get; private set; }

    public void Begin(long time, int processors)
    {
        _time = time;
        writer.Begin(time, processors);
        for (int i = 0; i < processors; i++)
            RowOf(i);
    }

    /// <summary>A goroutine that there was when the trace began, and that waits still.</summary>
    public void WasWaiting(long id) => Create(id, waiting: true);

    public void Next(in TraceEntry entry)
    {
        TraceRecord record = entry.Record;
        _time = Math.Max(_time, record.Time);
        int row = record.Processor < 0 ? -1 : RowOf(record.Processor);
        switch (record.Kind)
        {
            case TraceRecordKind.Spawned:
                if (_goroutines.TryGetValue(record.Goroutine, out G? older))
                    End(older);
                Tell(TraceStepKind.Created, row, Add(record.Goroutine).Id, reference: $"{Path.GetFileName((string?)entry.Reference)}:{record.Value}");
                break;
            case TraceRecordKind.Ended:
                if (_goroutines.TryGetValue(record.Goroutine, out G? ended))
                    End(ended);
                break;
            case TraceRecordKind.Runs:
                Run(Get(record.Goroutine, State.Runnable, row), row, record.Machine);
                break;
            case TraceRecordKind.Parks:
                Park(record, row, entry.Reference);
                break;
            case TraceRecordKind.Ready:
                MakeReady(Get(record.Goroutine, State.Waiting, row), row);
                break;
            case TraceRecordKind.HandedOff:
                HandOff(row, (HandOffReason)record.Detail, (int)record.Value);
                break;
            case TraceRecordKind.EntersSyscall:
                EnterSyscall(RunningAgain(Get(record.Goroutine, State.Running, row), record.Machine));
                break;
            case TraceRecordKind.ExitsSyscall:
                G back = Get(record.Goroutine, State.Running, row);
                back.InSyscall = false;
                if (record.Value != 0 && back.State == State.Runnable && row >= 0)
                    Run(back, row, record.Machine);
                break;
            case TraceRecordKind.ProcessorStarts:
                StartRow(row, record.Machine);
                break;
            case TraceRecordKind.ProcessorStops:
                StopRow(row);
                break;
            case TraceRecordKind.RegionBegins:
                BeginRegion(record, (string)entry.Reference!);
                break;
            case TraceRecordKind.RegionEnds:
                EndRegion(record, (string)entry.Reference!);
                break;
            case TraceRecordKind.TaskBegins:
                if (_tasks.Add(record.Value))
                    Tell(TraceStepKind.TaskBegins, row, ((TraceTask)entry.Reference!).Parent, record.Value, ((TraceTask)entry.Reference).Name);
                break;
            case TraceRecordKind.TaskEnds:
                if (_tasks.Remove(record.Value))
                    Tell(TraceStepKind.TaskEnds, row, 0, record.Value);
                break;
            case TraceRecordKind.Log:
                Tell(TraceStepKind.Log, RowOfUser(record.Goroutine, row), record.Goroutine, record.Value, entry.Reference);
                break;
            default:
                OfRuntimeOrRow(record, row);
                break;
        }
    }

    private void OfRuntimeOrRow(in TraceRecord record, int row)
    {
        switch (record.Kind)
        {
            case TraceRecordKind.CollectionBegins:
                if (_collections++ == 0) // a short one may run during a long one in the background
                    Tell(TraceStepKind.CollectionBegins, -1, 0, record.Value);
                break;
            case TraceRecordKind.CollectionEnds:
                if (_collections > 0 && --_collections == 0)
                    Tell(TraceStepKind.CollectionEnds, -1);
                break;
            case TraceRecordKind.PauseBegins:
                if (!_paused)
                    Tell(TraceStepKind.PauseBegins, -1);
                _paused = true;
                break;
            case TraceRecordKind.PauseEnds:
                if (_paused)
                    Tell(TraceStepKind.PauseEnds, -1);
                _paused = false;
                break;
            case TraceRecordKind.Heap:
                Tell(TraceStepKind.Heap, -1, 0, record.Value);
                break;
            case TraceRecordKind.Polled:
                Tell(TraceStepKind.Polled, row, 0, record.Value);
                break;
            case TraceRecordKind.TimersFired:
                Tell(TraceStepKind.TimersFired, row, 0, record.Value);
                break;
            case TraceRecordKind.Stolen:
                Tell(TraceStepKind.Stolen, row, record.Goroutine, record.Value);
                break;
        }
    }

    /// <summary>After records have been lost: ends those that there are not any more, whose own end was among them.</summary>
    public void EndMissing(HashSet<long> existing)
    {
        foreach (G g in _goroutines.Values.Where(g => !existing.Contains(g.Id)).ToArray())
            End(g);
    }

    /// <summary>What runs is interrupted, as Go's StopTrace does it: Go's viewer breaks down on what has begun to run and does not stop. So are collections.</summary>
    public void End(long time)
    {
        _time = Math.Max(_time, time);
        foreach (G g in _goroutines.Values.Where(static g => g.State == State.Running))
        {
            if (g.InSyscall)
                Leave(g, TraceStepKind.SyscallBlocks, State.Detached);
            else
                Leave(g, TraceStepKind.Preempted, State.Runnable);
        }
        if (_paused)
            Tell(TraceStepKind.PauseEnds, -1);
        if (_collections > 0)
            Tell(TraceStepKind.CollectionEnds, -1);
        writer.End();
    }

    // ---- Goroutines ----

    private G Add(long id)
    {
        var g = new G(id);
        _goroutines[id] = g;
        return g;
    }

    private G Create(long id, bool waiting)
    {
        G g = Add(id);
        Tell(TraceStepKind.Created, -1, id, reference: spawnSiteOf(id) ?? "(spawned before the trace)");
        if (waiting)
            Wait(g);
        return g;
    }

    private void Wait(G g)
    {
        Tell(TraceStepKind.WasWaiting, -1, g.Id);
        g.Sequence = 2;
        g.State = State.Waiting;
    }

    // One that was there before the trace was in this state, or the record would not be what it is.
    private G Get(long id, State before, int row)
    {
        if (_goroutines.TryGetValue(id, out G? g))
            return g;
        g = Create(id, waiting: before == State.Waiting);
        if (before == State.Running)
        {
            if (row >= 0 && _rows[row].Goroutine is null)
                Start(g, row, _rows[row].Machine);
            else
                StartInThread(g, 0);
        }
        return g;
    }

    // One whose thread has lost its processor does something: it is not blocked any more, and runs without.
    private G RunningAgain(G g, int machine)
    {
        if (g.State == State.Detached)
        {
            MakeReady(g, -1);
            StartInThread(g, machine);
        }
        return g;
    }

    private void Run(G g, int row, int machine)
    {
        if (g.State != State.Runnable)
        {
            Repairs++;
            if (g.State == State.Running)
                Leave(g, TraceStepKind.Yields, State.Runnable);
            else
                MakeReady(g, -1);
        }
        Start(g, row, machine);
    }

    private void Start(G g, int row, int machine)
    {
        StartRow(row, machine);
        if (_rows[row].Goroutine is { } other)
        {
            Repairs++;
            Leave(other, TraceStepKind.Yields, State.Runnable);
        }
        Tell(TraceStepKind.Starts, row, g.Id, sequence: g.Sequence++);
        g.State = State.Running;
        g.Row = row;
        _rows[row].Goroutine = g;
    }

    // It stops running, and its row, if that is a thread's, is gone with it.
    private void Leave(G g, TraceStepKind kind, State state, byte detail = 0, object? reference = null)
    {
        Row row = _rows[g.Row];
        Tell(kind, g.Row, g.Id, 0, reference, detail);
        row.Goroutine = null;
        g.State = state;
        g.InSyscall = false;
        if (row.IsThread)
        {
            StopRow(g.Row);
            _freeRows.Push(g.Row);
        }
        g.Row = -1;
    }

    private void Park(in TraceRecord record, int row, object? reference)
    {
        G g = RunningAgain(Get(record.Goroutine, State.Running, row), record.Machine);
        var reason = (WaitReason)record.Detail;
        switch (g.State)
        {
            case State.Running when reason == WaitReason.Yield:
                Leave(g, TraceStepKind.Yields, State.Runnable);
                break;
            case State.Running:
                Leave(g, TraceStepKind.Blocks, State.Waiting, record.Detail, reference);
                break;
            case State.Runnable when g.Sequence == 1:
                if (reason != WaitReason.Yield)
                    Wait(g); // a branch: code that has lost its goroutine waits by it
                break;
            case State.Runnable:
                Repairs++;
                StartInThread(g, record.Machine);
                Leave(g, TraceStepKind.Blocks, State.Waiting, record.Detail, reference);
                break;
        }
    }

    private void MakeReady(G g, int row)
    {
        if (g.State == State.Running)
        {
            // It comes out of Go.Blocking, and the word that it has lost its processor is a moment late; else its parking is missing.
            if (g.InSyscall)
            {
                Leave(g, TraceStepKind.SyscallBlocks, State.Detached);
            }
            else
            {
                Repairs++;
                Leave(g, TraceStepKind.Blocks, State.Waiting, (byte)WaitReason.Task);
            }
        }
        if (g.State == State.Runnable)
            return; // it has yielded, or is a branch that is posted to
        Tell(g.State == State.Detached ? TraceStepKind.SyscallEnds : TraceStepKind.Unblocked, row, g.Id, sequence: g.Sequence++);
        g.State = State.Runnable;
    }

    // One that did not run ends where nobody sees it: a thread's row, for no time.
    private void End(G g)
    {
        if (g.State != State.Running)
        {
            MakeReady(g, -1);
            StartInThread(g, 0);
        }
        Leave(g, TraceStepKind.Ends, State.Waiting);
        _goroutines.Remove(g.Id);
    }

    private void EnterSyscall(G g)
    {
        if (g.State != State.Running)
            return;
        g.InSyscall = true;
        Tell(TraceStepKind.EntersSyscall, g.Row, g.Id);
    }

    private void HandOff(int row, HandOffReason reason, int machine)
    {
        if (_rows[row].Goroutine is { } g)
        {
            if (reason == HandOffReason.TimeSlice)
            {
                Leave(g, TraceStepKind.Preempted, State.Runnable);
                StartInThread(g, machine);
            }
            else
            {
                if (!g.InSyscall)
                    EnterSyscall(g);
                Leave(g, TraceStepKind.SyscallBlocks, State.Detached);
            }
        }
        Tell(TraceStepKind.HandedOff, row, detail: (byte)reason);
        StopRow(row);
    }

    // ---- Rows ----

    private int RowOf(int processor)
    {
        if (_rowOfProcessor.TryGetValue(processor, out int row))
            return row;
        row = AddRow(false, $"P{processor}");
        _rowOfProcessor.Add(processor, row);
        return row;
    }

    private int AddRow(bool isThread, string name)
    {
        _rows.Add(new Row { IsThread = isThread });
        writer.NameRow(_rows.Count - 1, name);
        return _rows.Count - 1;
    }

    private void StartInThread(G g, int machine)
    {
        if (!_freeRows.TryPop(out int row))
            row = AddRow(true, $"without P {_rows.Count(static r => r.IsThread) + 1}");
        Start(g, row, machine);
    }

    private void StartRow(int index, int machine)
    {
        Row row = _rows[index];
        if (row.Runs && row.Machine == machine)
            return;
        if (row.Runs)
            StopRow(index);
        row.Runs = true;
        row.Machine = machine;
        Tell(TraceStepKind.RowStarts, index, 0, machine);
    }

    private void StopRow(int index)
    {
        Row row = _rows[index];
        if (!row.Runs)
            return;
        if (row.Goroutine is { } g)
        {
            Repairs++;
            Leave(g, TraceStepKind.Yields, State.Runnable);
            if (!row.Runs)
                return; // a thread's, and it has gone with its goroutine
        }
        row.Runs = false;
        Tell(TraceStepKind.RowStops, index);
    }

    // ---- What users write: it belongs to a goroutine that runs, where it runs ----

    private int RowOfUser(long goroutine, int otherwise) =>
        _goroutines.TryGetValue(goroutine, out G? g) && g.State == State.Running ? g.Row : otherwise;

    private void BeginRegion(in TraceRecord record, string name)
    {
        if (!_goroutines.TryGetValue(record.Goroutine, out G? g) || RunningAgain(g, record.Machine).State != State.Running)
            return;
        (g.Regions ??= []).Push((record.Value, name));
        Tell(TraceStepKind.RegionBegins, g.Row, g.Id, record.Value, name);
    }

    // Those that were begun in it and have not been ended end with it.
    private void EndRegion(in TraceRecord record, string name)
    {
        if (!_goroutines.TryGetValue(record.Goroutine, out G? g) || RunningAgain(g, record.Machine).State != State.Running || g.Regions is not { } regions)
            return;
        (long Task, string Name) region = (record.Value, name);
        if (!regions.Contains(region))
            return;
        (long Task, string Name) innermost;
        do
        {
            innermost = regions.Pop();
            Tell(TraceStepKind.RegionEnds, g.Row, g.Id, innermost.Task, innermost.Name);
        }
        while (innermost != region);
    }

    private void Tell(
        TraceStepKind kind, int row, long goroutine = 0, long value = 0, object? reference = null, byte detail = 0, int sequence = 0)
    {
        Events++;
        writer.Write(new TraceStep(kind, _time, row, goroutine, value, reference, detail, sequence));
    }
}
