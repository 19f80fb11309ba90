namespace NetGo.Scheduler.Tests;

public sealed class SchedulerTimeProviderTests
{
    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static async Task InManualTime(Func<ManualTime, TimeProvider, Task> test)
    {
        using var time = new ManualTime();
        await time.RunAsync(() => test(time, Go.TimeProvider));
    }

    [Fact]
    public Task Its_clock_is_the_schedulers_in_nanoseconds() => InManualTime((time, provider) =>
    {
        Assert.Same(time.Scheduler.TimeProvider, provider);
        long start = provider.GetTimestamp();
        Assert.Equal(time.Scheduler.Now(), start);
        time.Advance(3);
        Assert.Equal(start + 3_000_000, provider.GetTimestamp());
        Assert.Equal(Ms(3), provider.GetElapsedTime(start));
        Assert.Equal(time.UtcNow, provider.GetUtcNow());
        Assert.Equal(TimeZoneInfo.Local, provider.LocalTimeZone);
        return Task.CompletedTask;
    });

    [Fact]
    public Task Task_Delay_keeps_its_time() => InManualTime(async (time, provider) =>
    {
        Task delay = Task.Delay(Ms(10), provider);
        time.Advance(9);
        await Go.YieldAsync();
        Assert.False(delay.IsCompleted);
        time.Advance(1);
        await delay.Within();
        Assert.Equal(0, time.Heap.Count);

        using var source = new CancellationTokenSource();
        Task cancelled = Task.Delay(Ms(10), provider, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(0, time.Heap.Count);
    });

    [Fact]
    public Task A_CancellationTokenSource_keeps_its_time() => InManualTime(async (time, provider) =>
    {
        using var source = new CancellationTokenSource(Ms(10), provider);
        var cancelled = new TaskCompletionSource();
        source.Token.Register(cancelled.SetResult);
        time.Advance(9);
        source.CancelAfter(Ms(20));
        time.Advance(19);
        await Go.YieldAsync();
        Assert.False(source.IsCancellationRequested);
        time.Advance(1);
        await cancelled.Task.Within();
    });

    [Fact]
    public Task A_PeriodicTimer_keeps_its_time() => InManualTime(async (time, provider) =>
    {
        using var timer = new PeriodicTimer(Ms(10), provider);
        for (int i = 0; i < 3; i++)
        {
            Task<bool> tick = timer.WaitForNextTickAsync().AsTask();
            time.Advance(9);
            await Go.YieldAsync();
            Assert.False(tick.IsCompleted);
            time.Advance(1);
            Assert.True(await tick.Within());
        }
        timer.Dispose();
        Assert.False(await timer.WaitForNextTickAsync());
        Assert.Equal(0, time.Heap.Count);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task By_the_real_clock_the_callback_runs_as_a_goroutine(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        Channel<GoScheduler?> ran = Channel.Make<GoScheduler?>(10);
        await using (ITimer timer = scheduler.TimeProvider.CreateTimer(
            state => ((Channel<GoScheduler?>)state!).TrySend(Machine.OfThisThread?.Scheduler), ran, TimeSpan.Zero, Ms(1)))
        {
            await scheduler.RunAsync(async () =>
            {
                for (int i = 0; i < 5; i++)
                    Assert.Same(scheduler, (await ran.ReceiveAsync()).Value);
            }).Within();
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public Task A_callback_has_the_execution_context_of_who_made_the_timer() => InManualTime(async (time, provider) =>
    {
        var local = new AsyncLocal<string> { Value = "maker" };
        Channel<string?> seen = Channel.Make<string?>(1);
        await using ITimer timer = provider.CreateTimer(_ => seen.TrySend(local.Value), null, Ms(1), Timeout.InfiniteTimeSpan);
        local.Value = "other";
        time.Advance(1);
        Assert.Equal("maker", (await seen.ReceiveAsync()).Value);
    });

    [Fact]
    public Task Due_time_and_period_are_those_of_the_systems_timers() => InManualTime(async (time, provider) =>
    {
        int runs = 0;
        await using ITimer timer = provider.CreateTimer(_ => runs++, null, Timeout.InfiniteTimeSpan, Ms(10));
        await HasRun(0, after: 100); // an infinite due time: never, whatever the period

        Assert.True(timer.Change(Ms(5), Ms(10)));
        await HasRun(0, after: 4);
        await HasRun(1, after: 1);
        await HasRun(1, after: 9);
        await HasRun(2, after: 1);
        await HasRun(3, after: 10);

        Assert.True(timer.Change(Ms(5), TimeSpan.Zero)); // no period: once
        await HasRun(4, after: 5);
        await HasRun(4, after: 100);

        Assert.True(timer.Change(Ms(5), Timeout.InfiniteTimeSpan));
        await HasRun(5, after: 5);
        await HasRun(5, after: 100);

        Assert.True(timer.Change(Ms(5), Ms(5)));
        Assert.True(timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        await HasRun(5, after: 100);
        Assert.Equal(0, time.Heap.Count);

        async Task HasRun(int expected, int after)
        {
            time.Advance(after);
            await Go.YieldAsync();
            await ManualTime.UntilAsync(() => runs >= expected, $"{expected} runs");
            Assert.Equal(expected, runs);
        }
    });

    [Fact]
    public Task Times_out_of_range_are_refused() => InManualTime((_, provider) =>
    {
        Assert.Throws<ArgumentNullException>(() => provider.CreateTimer(null!, null, Ms(1), Ms(1)));
        using ITimer timer = provider.CreateTimer(_ => { }, null, Ms(1), Ms(1));
        foreach (TimeSpan wrong in new[] { Ms(-2), TimeSpan.FromMilliseconds(uint.MaxValue), TimeSpan.MinValue, TimeSpan.MaxValue })
        {
            Assert.Throws<ArgumentOutOfRangeException>("dueTime", () => timer.Change(wrong, Ms(1)));
            Assert.Throws<ArgumentOutOfRangeException>("period", () => timer.Change(Ms(1), wrong));
            Assert.Throws<ArgumentOutOfRangeException>(() => provider.CreateTimer(_ => { }, null, wrong, Ms(1)));
        }
        Assert.True(timer.Change(TimeSpan.FromMilliseconds(uint.MaxValue - 1), Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    });

    [Fact]
    public Task Disposed_it_neither_fires_nor_changes() => InManualTime(async (time, provider) =>
    {
        int runs = 0;
        ITimer timer = provider.CreateTimer(_ => runs++, null, Ms(1), Ms(1));
        timer.Dispose();
        timer.Dispose();
        Assert.Equal(0, time.Heap.Count);
        Assert.False(timer.Change(TimeSpan.Zero, Ms(1)));
        time.Advance(10);
        await Go.YieldAsync();
        Assert.Equal(0, runs);
        Assert.True(timer.DisposeAsync().AsTask().IsCompletedSuccessfully);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task DisposeAsync_waits_for_the_callbacks_that_were_started(bool disposedBefore) => InManualTime(async (time, provider) =>
    {
        int runs = 0;
        using var mayEnd = new ManualResetEventSlim();
        ITimer timer = provider.CreateTimer(
            _ =>
            {
                mayEnd.Wait(Bounded.Limit);
                Interlocked.Increment(ref runs);
            },
            null, Ms(1), Ms(1));
        time.Advance(1);
        time.Advance(1);
        if (disposedBefore)
            timer.Dispose();
        Task first = timer.DisposeAsync().AsTask();
        Task second = timer.DisposeAsync().AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);
        Assert.Equal(0, runs);
        mayEnd.Set();
        await Task.WhenAll(first, second).Within();
        Assert.Equal(2, runs);
        Assert.Equal(0, time.Heap.Count);
    });

    [Fact]
    public Task A_callback_may_dispose_of_its_own_timer() => InManualTime(async (time, provider) =>
    {
        Channel<bool> disposed = Channel.Make<bool>(1);
        ITimer? timer = null;
        timer = provider.CreateTimer(async _ =>
        {
            await timer!.DisposeAsync();
            disposed.TrySend(true);
        }, null, Ms(1), Ms(1));
        time.Advance(1);
        Assert.True((await disposed.ReceiveAsync()).Value);
    });
}
