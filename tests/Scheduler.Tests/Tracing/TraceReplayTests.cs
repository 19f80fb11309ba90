namespace NetGo.Tests;

public sealed class TraceReplayTests
{
    private readonly TraceChecker _checker = new();
    private readonly TraceReplay _replay;
    private long _time = 1000;

    public TraceReplayTests()
    {
        _replay = new TraceReplay(_checker, static id => $"Before.cs:{id}");
        _replay.Begin(_time, 2);
    }

    private void Tell(TraceRecordKind kind, long g = 0, int p = -1, int m = 0, long value = 0, object? reference = null, int detail = 0) =>
        _replay.Next(new TraceEntry(
            new TraceRecord { Kind = kind, Goroutine = g, Processor = (short)p, Machine = m, Value = value, Detail = (byte)detail, Time = _time++ }, reference));

    private TraceStepKind[] Kinds(long g) => [.. _checker.Events.Where(e => e.Goroutine == g).Select(static e => e.Kind)];

    private TraceStep Last(TraceStepKind kind) => _checker.Events.Last(e => e.Kind == kind);

    [Fact]
    public void A_life()
    {
        Tell(TraceRecordKind.ProcessorStarts, p: 0, m: 7);
        Tell(TraceRecordKind.Spawned, 1, value: 12, reference: "/src/Program.cs");
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        Tell(TraceRecordKind.Parks, 1, 0, 7, detail: (int)WaitReason.ChannelReceive, reference: typeof(string));
        Tell(TraceRecordKind.ProcessorStops, p: 0);
        Tell(TraceRecordKind.Ready, 1);
        Tell(TraceRecordKind.ProcessorStarts, p: 0, m: 7);
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        Tell(TraceRecordKind.Parks, 1, 0, 7, detail: (int)WaitReason.Yield);
        Tell(TraceRecordKind.Ready, 1, 0, 7);
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        Tell(TraceRecordKind.Ended, 1, 0, 7);
        Assert.Equal(
            [
                TraceStepKind.Created, TraceStepKind.Starts, TraceStepKind.Blocks, TraceStepKind.Unblocked, TraceStepKind.Starts,
                TraceStepKind.Yields, TraceStepKind.Starts, TraceStepKind.Ends,
            ],
            Kinds(1));
        Assert.Equal("Program.cs:12", Last(TraceStepKind.Created).Reference);
        Assert.Equal((WaitReason.ChannelReceive, typeof(string)), ((WaitReason)Last(TraceStepKind.Blocks).Detail, Last(TraceStepKind.Blocks).Reference));
        Assert.Equal(0, _replay.Repairs);
    }

    [Theory]
    [InlineData("Ready", "Created WasWaiting Unblocked")]
    [InlineData("Runs", "Created Starts")]
    [InlineData("Parks", "Created Starts Blocks")]
    [InlineData("EntersSyscall", "Created Starts EntersSyscall")]
    [InlineData("Ended", "")]
    public void What_was_there_before_is_found_out_by_what_it_does_first(string first, string expected)
    {
        TraceRecordKind kind = Enum.Parse<TraceRecordKind>(first);
        Tell(kind, 5, 1, 3, detail: kind == TraceRecordKind.Parks ? (int)WaitReason.Sleep : 0);
        Assert.Equal(expected, string.Join(' ', Kinds(5)));
        if (expected.Length > 0)
            Assert.Equal("Before.cs:5", Last(TraceStepKind.Created).Reference);
        Assert.Equal(0, _replay.Repairs);
    }

    [Fact]
    public void One_that_blocks_its_thread_loses_the_row_and_runs_without_one_when_it_is_heard_of_again()
    {
        Tell(TraceRecordKind.Spawned, 1, reference: "a.cs");
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        Tell(TraceRecordKind.HandedOff, p: 0, value: 7, detail: (int)HandOffReason.Blocked);
        Tell(TraceRecordKind.ProcessorStarts, p: 0, m: 8);
        Tell(TraceRecordKind.RegionEnds, 1, -1, 7, 4, "of no importance"); // it has come back
        Assert.Equal((TraceStepKind.Starts, 2), (_checker.Events[^1].Kind, _checker.Events[^1].Row));
        Tell(TraceRecordKind.Parks, 1, -1, 7, detail: (int)WaitReason.Mutex);
        Tell(TraceRecordKind.Ready, 1, 0, 8);
        Tell(TraceRecordKind.Runs, 1, 0, 8);
        Assert.Equal(
            [
                TraceStepKind.Created, TraceStepKind.Starts, TraceStepKind.EntersSyscall, TraceStepKind.SyscallBlocks, TraceStepKind.SyscallEnds,
                TraceStepKind.Starts, TraceStepKind.Blocks, TraceStepKind.Unblocked, TraceStepKind.Starts,
            ],
            Kinds(1));
        Assert.Equal(["P0", "P1", "without P 1"], _checker.RowNames);
        Assert.Equal(0, _replay.Repairs);
    }

    [Fact]
    public void One_whose_time_slice_is_over_runs_on_in_a_row_of_its_own_until_it_parks()
    {
        Tell(TraceRecordKind.Spawned, 1, reference: "a.cs");
        Tell(TraceRecordKind.Spawned, 2, reference: "a.cs");
        for (int i = 1; i <= 2; i++)
        {
            Tell(TraceRecordKind.Runs, i, 0, 7);
            Tell(TraceRecordKind.HandedOff, p: 0, value: 7, detail: (int)HandOffReason.TimeSlice);
            Assert.Equal((TraceStepKind.Starts, 2), (Last(TraceStepKind.Starts).Kind, Last(TraceStepKind.Starts).Row));
            Tell(TraceRecordKind.Parks, i, -1, 7, detail: (int)WaitReason.Sleep);
        }
        Assert.Equal(["P0", "P1", "without P 1"], _checker.RowNames); // and the row is used again
        Assert.Equal(0, _replay.Repairs);
    }

    [Fact]
    public void A_declared_blocking_call_is_a_syscall()
    {
        Tell(TraceRecordKind.Spawned, 1, reference: "a.cs");
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        Tell(TraceRecordKind.EntersSyscall, 1, 0, 7);
        Tell(TraceRecordKind.Ready, 1, -1, 7); // the hand-off's own record comes a moment late
        Tell(TraceRecordKind.HandedOff, p: 0, value: 7, detail: (int)HandOffReason.Syscall);
        Tell(TraceRecordKind.ProcessorStarts, p: 1, m: 7);
        Tell(TraceRecordKind.ExitsSyscall, 1, 1, 7, value: 1);
        Tell(TraceRecordKind.EntersSyscall, 1, 1, 7);
        Tell(TraceRecordKind.ExitsSyscall, 1, 1, 7); // this one was short
        Tell(TraceRecordKind.Ended, 1, 1, 7);
        Assert.Equal(
            [
                TraceStepKind.Created, TraceStepKind.Starts, TraceStepKind.EntersSyscall, TraceStepKind.SyscallBlocks, TraceStepKind.SyscallEnds,
                TraceStepKind.Starts, TraceStepKind.EntersSyscall, TraceStepKind.Ends,
            ],
            Kinds(1));
        Assert.Equal(0, _replay.Repairs);
    }

    [Fact]
    public void A_branch_waits_without_having_run()
    {
        Tell(TraceRecordKind.Spawned, TraceObserver.FirstBranch + 1, reference: "a.cs");
        Tell(TraceRecordKind.Parks, TraceObserver.FirstBranch + 1, detail: (int)WaitReason.IOWait);
        Tell(TraceRecordKind.Ready, TraceObserver.FirstBranch + 1);
        Assert.Equal([TraceStepKind.Created, TraceStepKind.WasWaiting, TraceStepKind.Unblocked], Kinds(TraceObserver.FirstBranch + 1));
        Assert.Equal(0, _replay.Repairs);
    }

    [Fact]
    public void Regions_nest_whatever_is_ended_first()
    {
        Tell(TraceRecordKind.Spawned, 1, reference: "a.cs");
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        foreach (string name in (string[])["outer", "middle", "inner"])
            Tell(TraceRecordKind.RegionBegins, 1, 0, 7, 4, name);
        Tell(TraceRecordKind.RegionEnds, 1, 0, 7, 4, "middle"); // and the inner one with it
        Tell(TraceRecordKind.RegionEnds, 1, 0, 7, 4, "inner");
        Tell(TraceRecordKind.RegionEnds, 1, 0, 7, 9, "outer"); // another task's
        Tell(TraceRecordKind.RegionEnds, 1, 0, 7, 4, "outer");
        Assert.Equal(["inner", "middle", "outer"], _checker.Events.Where(static e => e.Kind == TraceStepKind.RegionEnds).Select(static e => (string)e.Reference!));
    }

    [Fact]
    public void Collections_and_pauses_do_not_overlap()
    {
        Tell(TraceRecordKind.CollectionEnds);
        Tell(TraceRecordKind.PauseEnds);
        Tell(TraceRecordKind.CollectionBegins, value: 2);
        Tell(TraceRecordKind.CollectionBegins, value: 0);
        Tell(TraceRecordKind.PauseBegins);
        Tell(TraceRecordKind.PauseBegins);
        Tell(TraceRecordKind.CollectionEnds);
        _replay.End(_time);
        Assert.Equal(
            [TraceStepKind.CollectionBegins, TraceStepKind.PauseBegins, TraceStepKind.PauseEnds, TraceStepKind.CollectionEnds],
            _checker.Events.Select(static e => e.Kind));
    }

    [Fact]
    public void Those_whose_end_was_lost_end_when_it_is_seen_that_they_are_gone()
    {
        for (int i = 1; i <= 3; i++)
            Tell(TraceRecordKind.Spawned, i, reference: "a.cs");
        Tell(TraceRecordKind.Runs, 1, 0, 7);
        Tell(TraceRecordKind.Runs, 2, 1, 8);
        Tell(TraceRecordKind.Parks, 2, 1, 8, detail: (int)WaitReason.Sleep);
        _replay.EndMissing([3]);
        Assert.Equal(TraceStepKind.Ends, Kinds(1)[^1]);
        Assert.Equal(TraceStepKind.Ends, Kinds(2)[^1]);
        Assert.Equal([TraceStepKind.Created], Kinds(3));
    }

    [Fact]
    public void What_runs_when_the_trace_ends_is_interrupted()
    {
        for (int i = 1; i <= 2; i++)
        {
            Tell(TraceRecordKind.Spawned, i, reference: "a.cs");
            Tell(TraceRecordKind.Runs, i, i - 1, 6 + i);
        }
        Tell(TraceRecordKind.EntersSyscall, 2, 1, 8);
        _replay.End(_time);
        Assert.Equal([TraceStepKind.Created, TraceStepKind.Starts, TraceStepKind.Preempted], Kinds(1));
        Assert.Equal([TraceStepKind.Created, TraceStepKind.Starts, TraceStepKind.EntersSyscall, TraceStepKind.SyscallBlocks], Kinds(2));
    }

    // Whatever the records say, and however many are missing, the story has no contradictions; and it counts that it had to make something up.
    [Fact]
    public void Records_that_make_no_sense_make_a_trace_that_does()
    {
        TraceRecordKind[] kinds = Enum.GetValues<TraceRecordKind>();
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var checker = new TraceChecker();
            var replay = new TraceReplay(checker, static _ => null);
            replay.Begin(0, 2);
            for (int i = 0; i < 500; i++)
            {
                TraceRecordKind kind = kinds[random.Next(kinds.Length)];
                var record = new TraceRecord
                {
                    Kind = kind,
                    Time = i + random.Next(-3, 3),
                    Goroutine = random.Next(1, 6),
                    Processor = (short)(kind is TraceRecordKind.Runs or TraceRecordKind.HandedOff or TraceRecordKind.ProcessorStarts or TraceRecordKind.ProcessorStops
                        ? random.Next(0, 3) : random.Next(-1, 3)),
                    Machine = random.Next(1, 4),
                    Value = random.Next(0, 4),
                    Detail = (byte)random.Next(0, kind == TraceRecordKind.HandedOff ? 4 : 6),
                };
                object? reference = kind switch
                {
                    TraceRecordKind.Spawned => "x.cs",
                    TraceRecordKind.RegionBegins or TraceRecordKind.RegionEnds => record.Value % 2 == 0 ? "even" : "odd",
                    TraceRecordKind.TaskBegins => new TraceTask(record.Value, 0, "task", null),
                    TraceRecordKind.Log => new TraceMessage("", "text"),
                    _ => null,
                };
                replay.Next(new TraceEntry(record, reference));
            }
            replay.End(1000);
            Assert.True(replay.Repairs > 0);
        }
    }
}
