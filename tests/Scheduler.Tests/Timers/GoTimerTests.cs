namespace NetGo.Scheduler.Tests;

public sealed class GoTimerTests
{
    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static Task InManualTime(Action<ManualTime> test) => InManualTimeAsync(time =>
    {
        test(time);
        return Task.CompletedTask;
    });

    private static async Task InManualTimeAsync(Func<ManualTime, Task> test)
    {
        using var time = new ManualTime();
        await time.RunAsync(() => test(time));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task By_the_real_clock_it_sends_once_and_not_early(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            long start = scheduler.TimeProvider.GetTimestamp();
            GoTimer timer = Go.NewTimer(Ms(5));
            (_, bool ok) = await timer.C.ReceiveAsync();
            Assert.True(ok);
            Assert.True(scheduler.TimeProvider.GetElapsedTime(start) >= Ms(5));
            Assert.False(timer.C.TryReceive(out DateTimeOffset _));
            Assert.False(timer.Stop());
        }).Within();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Reset_for_earlier_wakes_a_processor_that_sleeps_for_longer(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        GoTimer timer = await scheduler.RunAsync(() => Task.FromResult(Go.NewTimer(TimeSpan.FromHours(1)))).Within();
        for (int i = 0; i < 5; i++)
        {
            Bounded.Until(() => scheduler.AllIdle, "idle processors");
            timer.Reset(Ms(1));
            Bounded.Until(() => timer.C.TryReceive(out DateTimeOffset _), "the time");
            timer.Reset(TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public Task Sends_the_time_at_which_it_came_due_however_late_it_is_run() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(10));
        time.Advance(9);
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
        time.Advance(7);
        Assert.True(timer.C.TryReceive(out DateTimeOffset at));
        Assert.Equal(ManualTime.Epoch + Ms(10), at);
        time.Advance(1000);
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
    });

    [Fact]
    public Task Stopped_before_its_time_it_sends_nothing() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(10));
        Assert.True(timer.Stop());
        Assert.False(timer.Stop());
        Assert.Equal(0, time.Heap.Count);
        time.Advance(20);
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
    });

    [Fact]
    public Task Stop_takes_back_a_value_that_nobody_has_received() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(10));
        time.Advance(10);
        Assert.Equal(1, timer.C.Count);
        Assert.True(timer.Stop());
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
        Assert.False(timer.Stop());
    });

    [Fact]
    public Task Reset_takes_back_a_value_that_nobody_has_received() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(10));
        time.Advance(10);
        Assert.True(timer.Reset(Ms(5)));
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
        time.Advance(5);
        Assert.True(timer.C.TryReceive(out DateTimeOffset at));
        Assert.Equal(ManualTime.Epoch + Ms(15), at);
    });

    [Theory]
    [InlineData(5)]
    [InlineData(50)]
    public Task Reset_while_it_is_pending_replaces_the_time(int milliseconds) => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(10));
        Assert.True(timer.Reset(Ms(milliseconds)));
        Assert.Equal(1, time.Heap.Count);
        time.Advance(milliseconds - 1);
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
        time.Advance(1);
        Assert.True(timer.C.TryReceive(out DateTimeOffset _));
        time.Advance(1000);
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
    });

    [Fact]
    public Task Reset_of_one_that_has_ended_starts_it_again() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(10));
        timer.Stop();
        for (int i = 0; i < 3; i++)
        {
            Assert.False(timer.Reset(Ms(10)));
            time.Advance(10);
            Assert.True(timer.C.TryReceive(out DateTimeOffset _));
        }
    });

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-10_000)] // Timeout.InfiniteTimeSpan: a time to go may happen to be that
    [InlineData(long.MinValue)]
    public Task A_time_that_has_passed_is_due_at_once(long ticks) => InManualTimeAsync(async _ =>
    {
        GoTimer timer = Go.NewTimer(TimeSpan.FromTicks(ticks));
        Assert.Equal(ManualTime.Epoch, (await timer.C.ReceiveAsync()).Value);
    });

    [Fact]
    public Task The_longest_time_never_comes_and_is_not_kept() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(TimeSpan.MaxValue);
        Assert.Equal(0, time.Heap.Count);
        time.Advance(int.MaxValue);
        Assert.False(timer.C.TryReceive(out DateTimeOffset _));
        Assert.True(timer.Reset(Ms(1)));
        Assert.Equal(1, time.Heap.Count);
        Assert.True(timer.Reset(TimeSpan.MaxValue));
        Assert.Equal(0, time.Heap.Count);
        Assert.True(timer.Stop());
    });

    [Fact]
    public Task Disposed_it_is_stopped() => InManualTime(time =>
    {
        GoTimer timer = Go.NewTimer(Ms(1));
        timer.Dispose();
        Assert.Equal(0, time.Heap.Count);
    });

    [Fact]
    public Task Nothing_breaks_when_the_user_closes_the_channel() => InManualTimeAsync(async time =>
    {
        Go.NewTimer(Ms(1)).C.Close();
        GoTimer other = Go.NewTimer(Ms(1));
        time.Advance(1);
        await other.C.ReceiveAsync();
    });

    [Fact]
    public Task After_is_the_time_out_of_a_select() => InManualTimeAsync(async time =>
    {
        Channel<int> silent = Channel.Make<int>();
        var select = new Select();
        select.Receive(silent);
        ReceiveCase<DateTimeOffset> timeout = select.Receive(Go.After(Ms(10)));
        Go.Spawn(() => time.Advance(10));
        Assert.Equal(timeout.Index, await select.WaitAsync());
        Assert.Equal(ManualTime.Epoch + Ms(10), timeout.Value);
    });

    [Fact]
    public Task A_firing_that_comes_after_a_reset_for_later_is_none() => InManualTime(time =>
    {
        var timer = new ChannelTimer(time.Scheduler);
        timer.Reset(Ms(10), TimeSpan.Zero);
        timer.Reset(Ms(20), TimeSpan.Zero);
        timer.Fire(time.Scheduler.Now() + 10_000_000);
        Assert.False(timer.Channel.TryReceive(out DateTimeOffset _));
        time.Advance(20);
        Assert.True(timer.Channel.TryReceive(out DateTimeOffset _));
    });

    [Fact]
    public Task Two_firings_of_one_arming_send_once() => InManualTime(time =>
    {
        var timer = new ChannelTimer(time.Scheduler);
        timer.Reset(TimeSpan.Zero, TimeSpan.Zero);
        timer.Fire(time.Scheduler.Now());
        Assert.True(timer.Channel.TryReceive(out DateTimeOffset _));
        time.Advance(0);
        Assert.False(timer.Channel.TryReceive(out DateTimeOffset _));
        Assert.False(timer.Stop());
    });

    [Fact]
    public Task A_firing_that_comes_after_a_stop_is_none() => InManualTime(time =>
    {
        var timer = new ChannelTimer(time.Scheduler);
        timer.Reset(Ms(10), TimeSpan.Zero);
        Assert.True(timer.Stop());
        timer.Fire(time.Scheduler.Now() + 10_000_000);
        Assert.False(timer.Channel.TryReceive(out DateTimeOffset _));
    });
}
