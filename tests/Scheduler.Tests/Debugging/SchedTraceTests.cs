using System.Text.RegularExpressions;

namespace NetGo.Tests;

public sealed partial class SchedTraceTests : IDisposable
{
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(2);
    private readonly StringWriter _output = new();
    private readonly TextWriter _synchronized;

    public SchedTraceTests() => _synchronized = TextWriter.Synchronized(_output);

    public void Dispose() => _scheduler.Dispose();

    private string Printed()
    {
        lock (_synchronized) // as it does itself
            return _output.ToString();
    }

    [GeneratedRegex(@"^SCHED \d+ms: gomaxprocs=2 idleprocs=\d threads=\d+ spinningthreads=\d idlethreads=\d+ runqueue=\d+ \[\d+ \d+\]$", RegexOptions.Multiline)]
    private static partial Regex Line { get; }

    [Fact]
    public void A_line_comes_each_time_until_it_is_stopped()
    {
        using (_scheduler.StartSchedTrace(TimeSpan.FromMilliseconds(5), output: _synchronized))
            Bounded.Until(() => Line.Count(Printed()) >= 3, "three lines");
        int printed = Printed().Length;
        Thread.Sleep(30);
        Assert.Equal(printed, Printed().Length);
        Assert.All(Printed().TrimEnd().Split('\n'), static line => Assert.Matches(Line, line));
    }

    [Fact]
    public async Task In_detail_it_has_each_processor_machine_and_goroutine()
    {
        var never = new Channel<int>(0);
        Task waiting = _scheduler.RunAsync(async () => await never.ReceiveAsync());
        Task<int> blocked = _scheduler.RunAsync(() => Task.FromResult(Go.Blocking(() =>
        {
            Bounded.Until(() => Printed().Contains("blocked=True", StringComparison.Ordinal), "the machine that blocks");
            return 1;
        })));
        using (_scheduler.StartSchedTrace(TimeSpan.FromMilliseconds(5), detail: true, _synchronized))
        {
            await blocked.Within();
            Bounded.Until(() => Printed().Contains("status=Waiting(ChannelReceive) created=SchedTraceTests.cs:", StringComparison.Ordinal), "the goroutine that waits");
        }
        Assert.Contains("\n  P0: status=", Printed(), StringComparison.Ordinal);
        Assert.Contains("\n  P1: status=", Printed(), StringComparison.Ordinal);
        Assert.Contains("\n  M1: p=", Printed(), StringComparison.Ordinal);
        never.Close();
        await waiting.Within();
    }

    [Theory]
    [InlineData("", 0, false, false)]
    [InlineData("schedtrace=1000", 1000, false, false)]
    [InlineData(" schedtrace=10 , scheddetail=1,", 10, true, false)]
    [InlineData("schedtrace=1000,scheddetail=0", 1000, false, false)]
    [InlineData("schedtrace=x,scheddetail=1", 0, true, true)]
    [InlineData("schedtrace", 0, false, true)]
    [InlineData("schedtrace=-1", 0, false, true)]
    [InlineData("gctrace=1,schedtrace=5", 5, false, true)]
    public void The_environment_variable(string text, int schedTrace, bool detail, bool complains)
    {
        Assert.Equal(new DebugVariable(schedTrace, detail), DebugVariable.Parse(text, _output));
        Assert.Equal(complains, Printed().Length > 0);
    }

    [Fact]
    public void It_says_when_what_hangs_is_reported()
    {
        SchedulerOptions options = DebugVariable.Parse("longwait=60,deadlock=0", _output).ToOptions();
        Assert.Equal((TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan), (options.LongWait, options.DeadlockAfter));
        Assert.Equal(new SchedulerOptions().DeadlockAfter, DebugVariable.Parse("", _output).ToOptions().DeadlockAfter);
        Assert.Equal("", Printed());
    }

    [Fact]
    public void An_interval_of_nothing_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _scheduler.StartSchedTrace(TimeSpan.Zero));
}
