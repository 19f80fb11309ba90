using System.Diagnostics;

namespace NetGo.Scheduler.Tests;

public sealed class SleepTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Ten_thousand_sleepers_wake_and_none_early(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        int early = 0;
        await Task.WhenAll(Enumerable.Range(0, 10_000).Select(i => scheduler.RunAsync(async () =>
        {
            TimeSpan duration = TimeSpan.FromMilliseconds(i % 100);
            long start = Stopwatch.GetTimestamp();
            await Go.SleepAsync(duration);
            if (Stopwatch.GetElapsedTime(start) < duration)
                Interlocked.Increment(ref early);
        }))).Within();
        Assert.Equal(0, early);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_shorter_sleep_wakes_before_a_longer_one_that_began_earlier()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var order = new List<int>();
        await scheduler.RunAsync(async () =>
        {
            Task late = scheduler.RunAsync(() => SleepAndNote(1000, order));
            Task early = scheduler.RunAsync(() => SleepAndNote(20, order));
            Task middle = scheduler.RunAsync(() => SleepAndNote(500, order));
            await Task.WhenAll(late, early, middle);
        }).Within();
        Assert.Equal([20, 500, 1000], order);
    }

    private static async Task SleepAndNote(int milliseconds, List<int> order)
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(milliseconds));
        order.Add(milliseconds);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public void Zero_and_negative_do_not_wait(long ticks)
    {
        ValueTask sleep = Go.SleepAsync(TimeSpan.FromTicks(ticks));
        Assert.True(sleep.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task The_longest_time_span_does_not_end_at_once()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        bool woke = false;
        scheduler.Spawn(async () =>
        {
            await Go.SleepAsync(TimeSpan.MaxValue);
            Volatile.Write(ref woke, true);
        });
        // A sleep that begins after it and is over.
        await scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(50))).Within();
        Assert.False(Volatile.Read(ref woke));
    }

    [Fact]
    public async Task A_new_earliest_sleep_wakes_a_processor_that_sleeps_for_longer()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Task never = scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromHours(1)));
        for (int i = 0; i < 20; i++)
        {
            Bounded.Until(() => scheduler.AllIdle, "idle processors");
            await scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(2))).Within();
        }
        Assert.False(never.IsCompleted);
    }

    [Fact]
    public async Task Two_sleeps_may_be_awaited_together()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Task first = Go.SleepAsync(TimeSpan.FromMilliseconds(5)).AsTask();
            Task second = Go.SleepAsync(TimeSpan.FromMilliseconds(3)).AsTask();
            Assert.False(first.IsCompleted || second.IsCompleted);
            await Task.WhenAll(first, second);
            Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task From_a_thread_that_runs_no_goroutine()
    {
        await Task.Run(async () =>
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(2)).ConfigureAwait(false);
            await Go.YieldAsync().ConfigureAwait(false);
            Assert.Null(Machine.OfThisThread);
        }).Within();
    }

    [Fact]
    public async Task A_sleep_cannot_be_awaited_twice_nor_blocked_on()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
#pragma warning disable CA2012, xUnit1031 // what is tested
            ValueTask sleep = Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            Assert.Throws<InvalidOperationException>(() => sleep.GetAwaiter().GetResult());
            await sleep;
            await Go.YieldAsync();
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await sleep);
#pragma warning restore CA2012, xUnit1031
        }).Within();
    }
}
