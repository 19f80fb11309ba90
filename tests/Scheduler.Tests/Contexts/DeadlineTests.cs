namespace NetGo.Scheduler.Tests.Contexts;

public sealed class DeadlineTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Ends_by_the_deadline_with_its_cause(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            var cause = new InvalidOperationException("The backend is slow.");
            using CancelContext context = Context.WithTimeout(Context.Background, TimeSpan.FromMilliseconds(200), cause);
            using CancelContext child = Context.WithCancel(context);
            Assert.False(context.IsDone);
            await child.WaitDoneAsync();
            Assert.IsType<ContextDeadlineExceededException>(child.Err);
            Assert.Same(cause, child.Cause);
            var thrown = Assert.Throws<ContextDeadlineExceededException>(child.ThrowIfDone);
            Assert.Same(cause, thrown.InnerException);
            Assert.IsAssignableFrom<TimeoutException>(thrown);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(long.MinValue)]
    public void A_deadline_that_is_past_ends_it_at_once(long ticks)
    {
        using CancelContext context = Context.WithTimeout(Context.Background, TimeSpan.FromTicks(ticks));
        Assert.IsType<ContextDeadlineExceededException>(context.Err);
        using CancelContext past = Context.WithDeadline(Context.Background, DateTimeOffset.MinValue);
        Assert.IsType<ContextDeadlineExceededException>(past.Err);
    }

    [Fact]
    public void No_timeout_is_no_deadline()
    {
        using CancelContext context = Context.WithTimeout(Context.Background, Timeout.InfiniteTimeSpan);
        using CancelContext ages = Context.WithDeadline(Context.Background, DateTimeOffset.MaxValue);
        using CancelContext longest = Context.WithTimeout(Context.Background, TimeSpan.MaxValue);
        Assert.Null(context.Deadline);
        Assert.False(context.IsDone || ages.IsDone || longest.IsDone);
    }

    [Fact]
    public async Task The_earlier_deadline_holds_and_the_later_sets_no_timer()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(() =>
        {
            TimerHeap timers = scheduler.Processors[0].Timers;
            using CancelContext parent = Context.WithTimeout(Context.Background, TimeSpan.FromHours(1));
            Assert.Equal(1, timers.Count);
            using CancelContext later = Context.WithTimeout(parent, TimeSpan.FromHours(2));
            using CancelContext laterYet = Context.WithDeadline(later, DateTimeOffset.UtcNow.AddHours(3));
            Assert.Equal(1, timers.Count);
            Assert.Equal(parent.Deadline, laterYet.Deadline);
            using CancelContext earlier = Context.WithTimeout(later, TimeSpan.FromMinutes(1));
            Assert.Equal(2, timers.Count);
            Assert.True(earlier.Deadline < parent.Deadline);
            parent.Cancel();
            Assert.Equal(0, timers.Count);
            Assert.IsType<ContextCanceledException>(earlier.Err);
            return Task.CompletedTask;
        }).Within();
    }

    [Fact]
    public async Task The_deadline_is_told_in_the_schedulers_wall_time()
    {
        var clock = new ShiftedClock(TimeSpan.FromDays(3650));
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, TimeProvider = clock });
        await scheduler.RunAsync(async () =>
        {
            using CancelContext hour = Context.WithTimeout(Context.Background, TimeSpan.FromHours(1));
            Assert.InRange(hour.Deadline!.Value - clock.GetUtcNow(), TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
            DateTimeOffset soon = clock.GetUtcNow().AddMilliseconds(5);
            using CancelContext context = Context.WithDeadline(hour, soon);
            Assert.Equal(soon, context.Deadline);
            await context.WaitDoneAsync();
            Assert.True(clock.GetUtcNow() >= soon);
        }).Within();
    }

    [Fact]
    public async Task What_is_registered_with_the_token_may_block_without_stopping_the_processor()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var release = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        CancelContext? context = null;
        await scheduler.RunAsync(() =>
        {
            context = Context.WithTimeout(Context.Background, TimeSpan.FromMilliseconds(2));
            context.Token.Register(() =>
            {
                entered.Set();
                release.Wait();
            });
            return Task.CompletedTask;
        }).Within();
        Bounded.Until(() => entered.IsSet, "the token's callback");
        await scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(1))).Within();
        release.Set();
        Bounded.NoneLeft(scheduler);
        context!.Dispose();
    }

    [Fact]
    public async Task Deadlines_and_cancels_at_the_same_time_end_each_context_once()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext root = Context.WithCancel(Context.Background);
            var group = new WaitGroup();
            for (int i = 0; i < 2000; i++)
            {
                int microseconds = i % 500;
                group.Go(async () =>
                {
                    using CancelContext context = Context.WithTimeout(root, TimeSpan.FromMicroseconds(microseconds * 4));
                    _ = context.Done;
                    await Go.SleepAsync(TimeSpan.FromMicroseconds(microseconds * 4));
                    context.Cancel();
                    await context.WaitDoneAsync();
                });
            }
            await group.WaitAsync();
            Assert.Equal(0, root.ChildCount);
        }).Within();
        foreach (Processor p in scheduler.Processors)
            Assert.Equal(0, p.Timers.Count);
    }

    private sealed class ShiftedClock(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
    }
}
