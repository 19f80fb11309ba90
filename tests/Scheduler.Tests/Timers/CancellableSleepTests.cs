namespace NetGo.Scheduler.Tests;

public sealed class CancellableSleepTests
{
    private static readonly TimeSpan s_long = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Uncancelled_it_ends_in_its_time(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        using var source = new CancellationTokenSource();
        await scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                long start = scheduler.Now();
                await Go.SleepAsync(TimeSpan.FromMilliseconds(2), source.Token);
                Assert.True(scheduler.Now() - start >= 2_000_000);
            }
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Cancelled_it_ends_with_the_token_and_leaves_no_timer(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        using var source = new CancellationTokenSource();
        Task sleep = scheduler.RunAsync(async () => await Go.SleepAsync(s_long, source.Token));
        Bounded.Until(() => scheduler.Processors.ToArray().Sum(p => p.Timers.Count) == 1, "the sleep");
        await source.CancelAsync();
        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleep.Within());
        Assert.Equal(source.Token, exception.CancellationToken);
        Bounded.Until(() => scheduler.Processors.ToArray().Sum(p => p.Timers.Count) == 0, "no timer");
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(5)]
    public void A_token_that_is_cancelled_already_wins_over_any_duration(int milliseconds)
    {
        var token = new CancellationToken(canceled: true);
        ValueTask sleep = Go.SleepAsync(TimeSpan.FromMilliseconds(milliseconds), token);
        Assert.True(sleep.IsCanceled);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Zero_and_negative_do_not_wait(int milliseconds)
    {
        using var source = new CancellationTokenSource();
        ValueTask sleep = Go.SleepAsync(TimeSpan.FromMilliseconds(milliseconds), source.Token);
        Assert.True(sleep.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Cancelled_between_the_call_and_the_await_it_does_not_wait()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var source = new CancellationTokenSource();
        await scheduler.RunAsync(async () =>
        {
            ValueTask sleep = Go.SleepAsync(s_long, source.Token);
            await source.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await sleep);
        }).Within();
        Assert.Equal(0, scheduler.Processors[0].Timers.Count);
    }

    [Fact]
    public async Task From_a_thread_that_runs_no_goroutine()
    {
        using var source = new CancellationTokenSource();
        await Task.Run(async () =>
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(2), source.Token).ConfigureAwait(false);
            Assert.Null(Machine.OfThisThread);
            Task sleep = Go.SleepAsync(s_long, source.Token).AsTask();
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleep);
        }).Within();
    }

    [Fact]
    public async Task It_cannot_be_awaited_twice_nor_blocked_on()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var source = new CancellationTokenSource();
        await scheduler.RunAsync(async () =>
        {
#pragma warning disable CA2012, xUnit1031 // what is tested
            ValueTask sleep = Go.SleepAsync(TimeSpan.FromMilliseconds(1), source.Token);
            Assert.Throws<InvalidOperationException>(() => sleep.GetAwaiter().GetResult());
            await sleep;
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1), source.Token); // in the same object, most likely
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await sleep);
#pragma warning restore CA2012, xUnit1031
        }).Within();
    }

    [Fact]
    public async Task A_token_does_not_end_a_sleep_that_comes_after_its_own()
    {
        using var time = new ManualTime();
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        await time.RunAsync(async () =>
        {
            Go.Spawn(() => time.Advance(1));
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1), first.Token);
            Go.Spawn(() =>
            {
                first.Cancel();
                time.Advance(1);
            });
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1), second.Token); // in the same object, most likely
        });
    }

    [Fact]
    public async Task Zero_sleeps_in_a_row_let_the_others_run()
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        bool other = false;
        await scheduler.RunAsync(async () =>
        {
            scheduler.Spawn(() => other = true);
            for (int i = 0; i < 5_000_000 && !other; i++)
                await Go.SleepAsync(TimeSpan.Zero);
            Assert.True(other);
        }).Within();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Raced_by_the_token_each_sleep_ends_once(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        int slept = 0;
        int cancelled = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => scheduler.RunAsync(async () =>
        {
            var random = new Random(n);
            for (int i = 0; i < 100; i++)
            {
                var source = new CancellationTokenSource(); // not disposed: the canceller may be late
                using GoTimer canceller = Go.AfterFunc(TimeSpan.FromMicroseconds(random.Next(400)), source.Cancel);
                try
                {
                    await Go.SleepAsync(TimeSpan.FromMicroseconds(random.Next(400)), source.Token);
                    Interlocked.Increment(ref slept);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
            }
        }))).Within();
        Assert.Equal(800, slept + cancelled);
        Bounded.NoneLeft(scheduler);
    }
}
