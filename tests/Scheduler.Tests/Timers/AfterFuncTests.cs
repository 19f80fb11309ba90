namespace NetGo.Scheduler.Tests;

public sealed class AfterFuncTests
{
    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Runs_as_a_goroutine_of_the_scheduler_that_may_park(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        Channel<GoScheduler?> ran = Channel.Make<GoScheduler?>();
        await scheduler.RunAsync(async () =>
        {
            Go.AfterFunc(Ms(1), async () =>
            {
                await Go.SleepAsync(Ms(1));
                await ran.SendAsync(Machine.OfThisThread?.Scheduler);
            });
            Assert.Same(scheduler, (await ran.ReceiveAsync()).Value);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Stopped_it_does_not_run_and_reset_it_runs_again()
    {
        using var time = new ManualTime();
        int runs = 0;
        await time.RunAsync(async () =>
        {
            GoTimer timer = Go.AfterFunc(Ms(10), () => runs++);
            Assert.True(timer.Stop());
            time.Advance(20);
            await Go.YieldAsync();
            Assert.Equal(0, runs);

            Assert.False(timer.Reset(Ms(10)));
            Assert.True(timer.Reset(Ms(20)));
            time.Advance(10);
            await Go.YieldAsync();
            Assert.Equal(0, runs);
            time.Advance(10);
            await ManualTime.UntilAsync(() => runs == 1, "the first run");
            Assert.False(timer.Stop());

            Assert.False(timer.Reset(TimeSpan.Zero));
            await ManualTime.UntilAsync(() => runs == 2, "the second run");
        });
    }

    [Fact]
    public async Task A_function_may_reset_its_own_timer()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        await scheduler.RunAsync(async () =>
        {
            Channel<int> runs = Channel.Make<int>();
            GoTimer? timer = null;
            int count = 0;
            timer = Go.AfterFunc(TimeSpan.MaxValue, async () =>
            {
                if (++count < 5)
                    timer!.Reset(TimeSpan.FromTicks(1));
                else
                    await runs.SendAsync(count);
            });
            timer.Reset(TimeSpan.Zero);
            Assert.Equal(5, (await runs.ReceiveAsync()).Value);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Inherits_the_execution_context_of_who_made_it()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var local = new AsyncLocal<string?>();
        await scheduler.RunAsync(async () =>
        {
            Channel<string?> seen = Channel.Make<string?>();
            local.Value = "maker";
            GoTimer timer = Go.AfterFunc(TimeSpan.MaxValue, async () =>
            {
                string? before = local.Value;
                await Go.YieldAsync();
                await seen.SendAsync($"{before} {local.Value}");
            });
            local.Value = "resetter";
            timer.Reset(TimeSpan.Zero);
            Assert.Equal("maker maker", (await seen.ReceiveAsync()).Value);
        }).Within();
    }

    [Fact]
    public async Task Says_where_it_was_made_when_it_fails()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var reported = new TaskCompletionSource<UnhandledGoroutineException>();
        scheduler.UnhandledException += (_, e) => reported.SetResult(e);
        scheduler.Spawn(() => Go.AfterFunc(TimeSpan.Zero, Fail, "Maker.cs", 7));
        UnhandledGoroutineException exception = await reported.Task.Within();
        Assert.Contains("Maker.cs:7", exception.Message, StringComparison.Ordinal);

        static Task Fail() => throw new InvalidOperationException("oops");
    }

    [Fact]
    public void It_has_no_channel()
    {
        using GoTimer timer = Go.AfterFunc(TimeSpan.MaxValue, () => { });
        Assert.Throws<InvalidOperationException>(() => timer.C);
    }

    [Fact]
    public async Task From_a_thread_that_runs_no_goroutine_it_runs_on_the_default_scheduler()
    {
        var ran = new TaskCompletionSource<GoScheduler?>();
        Go.AfterFunc(TimeSpan.Zero, () => ran.SetResult(Machine.OfThisThread?.Scheduler));
        Assert.Same(GoScheduler.Default, await ran.Task.Within());
    }
}
