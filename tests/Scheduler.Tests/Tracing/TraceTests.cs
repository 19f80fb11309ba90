using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Text.Json;

namespace NetGo.Tests;

[Collection(EventListeners.Name)]
public sealed class TraceTests : IDisposable
{
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(2);

    public void Dispose() => _scheduler.Dispose();

    private async Task<(TraceChecker Checker, TraceSession Session)> TraceAsync(Func<Task> program)
    {
        var checker = new TraceChecker();
        var session = new TraceSession(_scheduler, Stream.Null, checker, collections: true);
        await program();
        await session.StopAsync().Within();
        return (checker, session);
    }

    private async Task<byte[]> TraceAsync(TraceFormat format, Func<Task> program)
    {
        using var output = new MemoryStream();
        await using (TraceSession session = GoTrace.Start(output, new TraceOptions { Scheduler = _scheduler, Format = format }))
        {
            await program();
            await session.StopAsync().Within();
            Assert.Equal((0, 0), (session.LostCount, session.Replay.Repairs));
            Assert.Equal(output.Length, session.ByteCount);
        }
        return output.ToArray();
    }

    [Fact]
    public async Task The_whole_life_of_a_program_is_in_it()
    {
        (TraceChecker checker, TraceSession session) = await TraceAsync(() => TracedProgram.RunAsync(_scheduler));
        Assert.Equal((0, 0), (session.LostCount, session.Replay.Repairs));
        Assert.Equal(checker.Events.Count, session.EventCount);
        foreach (TraceStepKind kind in Enum.GetValues<TraceStepKind>())
        {
            if (kind is not (TraceStepKind.WasWaiting or TraceStepKind.Stolen or TraceStepKind.Polled))
                Assert.True(checker.Events.Exists(e => e.Kind == kind), $"no {kind}");
        }
        HashSet<WaitReason> reasons = [.. checker.Events.Where(static e => e.Kind == TraceStepKind.Blocks).Select(static e => (WaitReason)e.Detail)];
        Assert.Superset(new HashSet<WaitReason> { WaitReason.Sleep, WaitReason.Task, WaitReason.ChannelSend, WaitReason.Mutex, WaitReason.WaitGroup }, reasons);
        // All have ended, of those that were spawned as of those that branched off.
        Assert.Equal(Count(checker, TraceStepKind.Created), Count(checker, TraceStepKind.Ends));
    }

    private static int Count(TraceChecker checker, TraceStepKind kind) => checker.Events.Count(e => e.Kind == kind);

    [Fact]
    public async Task What_a_goroutine_waits_in_is_named()
    {
        var never = new Channel<int>(0);
        _scheduler.Spawn(() => WaitHereAsync(never));
        (TraceChecker checker, _) = await TraceAsync(async () =>
        {
            Task<bool> received = _scheduler.RunAsync(async () => (await never.ReceiveAsync()).Ok);
            Bounded.Until(() => _scheduler.Goroutines().Count(static g => g.WaitReason == WaitReason.ChannelReceive) == 2, "both wait");
            never.Close();
            Assert.False(await received.Within());
        });
        Assert.Contains(checker.Events, static e =>
            e.Kind == TraceStepKind.Blocks && e.Reference is Type type && MethodNames.OfBox(type).StartsWith("NetGo.Tests.TraceTests.", StringComparison.Ordinal));
        Assert.Contains(checker.Events, static e => e.Kind == TraceStepKind.Created && ((string)e.Reference!).StartsWith("TraceTests.cs:", StringComparison.Ordinal));
    }

    private static async Task WaitHereAsync(Channel<int> channel) => await channel.ReceiveAsync();

    [Fact]
    public async Task Those_that_wait_all_the_time_are_in_it_too()
    {
        var never = new Channel<int>(0);
        for (int i = 0; i < 3; i++)
            _scheduler.Spawn(() => WaitHereAsync(never));
        Bounded.Until(() => _scheduler.Goroutines().Count(static g => g.Status == GoroutineStatus.Waiting) == 3, "all wait");
        (TraceChecker checker, _) = await TraceAsync(() => _scheduler.RunAsync(async () => await Go.YieldAsync()));
        Assert.Equal(3, checker.Events.Count(static e => e.Kind == TraceStepKind.WasWaiting && e.Goroutine < TraceObserver.FirstBranch));
        never.Close();
    }

    [Fact]
    public async Task Nothing_is_written_down_when_no_trace_is_taken()
    {
        Assert.Null(_scheduler.Observer);
        await _scheduler.RunAsync(() =>
        {
            Assert.False(GoTrace.IsEnabled);
            using TraceTask task = GoTrace.NewTask(Context.Background, "x");
            using (GoTrace.StartRegion(task.Context, "y"))
                GoTrace.Log(null, "", $"{Fail()}");
            return Task.CompletedTask;
        }).Within();
        (_, TraceSession session) = await TraceAsync(() => _scheduler.RunAsync(() =>
        {
            Assert.True(GoTrace.IsEnabled);
            return Task.CompletedTask;
        }));
        await session.StopAsync();
        Assert.Null(_scheduler.Observer);

        static string Fail() => throw new InvalidOperationException("The message is not put together.");
    }

    [Fact]
    public async Task Events_that_come_too_fast_are_lost_and_counted()
    {
        using GoScheduler small = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, TraceBufferEvents = 1024 });
        var checker = new TraceChecker();
        var session = new TraceSession(small, Stream.Null, checker, collections: false);
        await small.RunAsync(async () =>
        {
            for (int i = 0; i < 200_000; i++)
                await Go.YieldAsync();
        }).Within();
        await session.StopAsync().Within();
        Assert.True(session.LostCount > 0);
        Assert.NotEmpty(checker.Events);
    }

    // Who listens to an event source is called under a lock of the runtime's, and adds an observer there; a trace with collections begins to listen.
    [Fact]
    public async Task Traces_begin_and_end_while_others_listen_to_the_scheduler()
    {
        using var stop = new CancellationTokenSource();
        using var listener = new Toggle();
        Task toggling = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                listener.Flip();
        });
        for (int i = 0; i < 10; i++)
        {
            var session = new TraceSession(_scheduler, Stream.Null, new TraceChecker(), collections: true);
            await _scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
            await session.StopAsync().Within();
        }
        await stop.CancelAsync();
        await toggling.Within();
    }

    private sealed class Toggle : EventListener
    {
        public void Flip()
        {
            EnableEvents(SchedulerEventSource.Log!, EventLevel.Verbose);
            DisableEvents(SchedulerEventSource.Log!);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(32 * 1024 * 1024)]
    public void The_buffer_has_bounds(int events) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { TraceBufferEvents = events }));

    [Fact]
    public async Task A_stream_that_fails_ends_the_trace_and_says_so()
    {
        var session = new TraceSession(_scheduler, new FullDisk(), new GoTraceWriter(), collections: false);
        await TracedProgram.RunAsync(_scheduler);
        IOException failure = await Assert.ThrowsAsync<IOException>(() => session.StopAsync().Within());
        Assert.Equal("The disk is full.", failure.Message);
        Assert.Null(_scheduler.Observer);
    }

    private sealed class FullDisk : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromException(new IOException("The disk is full."));
    }

    [Fact]
    public void A_stream_must_be_one_to_write_to() =>
        Assert.Throws<ArgumentException>(() => GoTrace.Start(new MemoryStream([], writable: false)));

    [Fact]
    public async Task Two_traces_at_once_have_the_same_in_them()
    {
        byte[] second = [];
        byte[] first = await TraceAsync(TraceFormat.Go, async () => second = await TraceAsync(TraceFormat.Perfetto, () => TracedProgram.RunAsync(_scheduler)));
        Assert.NotEmpty(first);
        Assert.NotEmpty(second);
    }

    [Fact]
    public async Task Go_reads_its_format()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/go") || File.Exists("/usr/local/go/bin/go"), "there is no go command here");
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, await TraceAsync(TraceFormat.Go, () => TracedProgram.RunAsync(_scheduler)));
            var start = new ProcessStartInfo(File.Exists("/usr/bin/go") ? "/usr/bin/go" : "/usr/local/go/bin/go", ["tool", "trace", "-d", file])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process go = Process.Start(start)!;
            Task<string> errors = go.StandardError.ReadToEndAsync();
            string events = await go.StandardOutput.ReadToEndAsync().Within();
            await go.WaitForExitAsync().Within();
            Assert.True(go.ExitCode == 0, await errors);
            foreach (string name in (string[])["GoCreate", "GoStart", "GoEnd", "GoSched", "GoSleep", "GoBlockSend", "GoBlockSync", "GoUnblock",
                "GoSysCall", "GoSysBlock", "GoSysExit", "GoPreempt", "ProcStart", "GCStart", "GCSTWStart", "HeapAlloc", "UserTaskCreate", "UserRegion", "UserLog"])
                Assert.Contains($" {name} ", events, StringComparison.Ordinal);
            Assert.Contains("make tea", events, StringComparison.Ordinal);
            Assert.Contains("empty after 3 cups", events, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Perfetto_s_format_is_json_in_which_the_slices_of_a_row_do_not_overlap()
    {
        using JsonDocument json = JsonDocument.Parse(await TraceAsync(TraceFormat.Perfetto, () => TracedProgram.RunAsync(_scheduler)));
        List<JsonElement> events = [.. json.RootElement.GetProperty("traceEvents").EnumerateArray()];
        var slices = events.Where(static e => e.GetProperty("ph").GetString() == "X").ToLookup(static e => e.GetProperty("tid").GetInt32());
        Assert.True(slices[1].Any() && slices[2].Any(), "both processors have run something");
        foreach (int row in (int[])[1, 2])
        {
            decimal end = decimal.MinValue;
            foreach (JsonElement slice in slices[row].OrderBy(static e => e.GetProperty("ts").GetDecimal()))
            {
                Assert.True(slice.GetProperty("ts").GetDecimal() >= end);
                end = slice.GetProperty("ts").GetDecimal() + slice.GetProperty("dur").GetDecimal();
            }
        }
        Assert.Contains(events, static e => e.GetProperty("name").GetString() == "P0" || e.ToString().Contains("\"P0\"", StringComparison.Ordinal));
        Assert.Contains(events, static e => e.ToString().Contains("kettle: cold", StringComparison.Ordinal));
        Assert.Equal(
            events.Count(static e => e.GetProperty("ph").GetString() == "b"), events.Count(static e => e.GetProperty("ph").GetString() == "e"));
    }
}
