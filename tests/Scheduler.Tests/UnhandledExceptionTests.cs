namespace NetGo.Scheduler.Tests;

public sealed class UnhandledExceptionTests
{
    private static async Task<UnhandledGoroutineException> ReportOfAsync(Action<GoScheduler> spawn)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var report = new TaskCompletionSource<UnhandledGoroutineException>(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.UnhandledException += (sender, e) =>
        {
            Assert.Same(scheduler, sender);
            report.TrySetResult(e);
        };
        spawn(scheduler);
        UnhandledGoroutineException e = await report.Task.Within();
        // The machine lives on.
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Bounded.NoneLeft(scheduler);
        return e;
    }

    [Fact]
    public async Task A_body_that_throws_at_once()
    {
        var e = await ReportOfAsync(s => s.Spawn((Action)(() => throw new FormatException("here"))));
        Assert.IsType<FormatException>(e.InnerException);
        Assert.Contains("UnhandledExceptionTests.cs:", e.Message, StringComparison.Ordinal);
        Assert.Contains("here", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_throws_after_a_park()
    {
        var e = await ReportOfAsync(s => s.Spawn(async () =>
        {
            await Go.YieldAsync();
            throw new FormatException();
        }));
        Assert.IsType<FormatException>(e.InnerException);
    }

    [Fact]
    public async Task A_body_that_throws_after_a_foreign_wait()
    {
        var e = await ReportOfAsync(s => s.Spawn(async () =>
        {
            await Task.Delay(1);
            throw new FormatException();
        }));
        Assert.IsType<FormatException>(e.InnerException);
    }

    [Fact]
    public async Task A_body_that_throws_on_another_thread()
    {
        var e = await ReportOfAsync(s => s.Spawn(async () =>
        {
            await Task.Delay(1).ConfigureAwait(false);
            throw new FormatException();
        }));
        Assert.IsType<FormatException>(e.InnerException);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_async_void_method(bool waits)
    {
        async void Throw()
        {
            if (waits)
                await Go.YieldAsync();
            throw new FormatException();
        }
        var e = await ReportOfAsync(s => s.Spawn(Throw));
        Assert.IsType<FormatException>(e.InnerException);
    }

    [Fact]
    public async Task A_handler_that_blocks_holds_no_processor()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var release = new ManualResetEventSlim();
        var inHandler = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.UnhandledException += (_, _) =>
        {
            inHandler.SetResult();
            release.Wait(Bounded.Limit * 2);
        };
        scheduler.Spawn((Action)(() => throw new FormatException()));
        await inHandler.Task.Within();
        try
        {
            await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        }
        finally
        {
            release.Set();
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_cancelled_body_is_no_failure()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        bool reported = false;
        scheduler.UnhandledException += (_, _) => reported = true;
        scheduler.Spawn(async () =>
        {
            await Go.YieldAsync();
            throw new OperationCanceledException();
        });
        Bounded.NoneLeft(scheduler);
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Assert.False(reported);
    }
}
