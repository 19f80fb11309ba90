namespace NetGo.Scheduler.Tests;

public sealed class GoTickerTests
{
    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static async Task InManualTime(Action<ManualTime> test)
    {
        using var time = new ManualTime();
        await time.RunAsync(() =>
        {
            test(time);
            return Task.CompletedTask;
        });
    }

    private static void Ticks(GoTicker ticker, int milliseconds)
    {
        Assert.True(ticker.C.TryReceive(out DateTimeOffset at));
        Assert.Equal(ManualTime.Epoch + Ms(milliseconds), at);
    }

    private static void IsSilent(GoTicker ticker) => Assert.False(ticker.C.TryReceive(out DateTimeOffset _));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task By_the_real_clock_it_ticks_on_and_on(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            using GoTicker ticker = Go.NewTicker(Ms(1));
            for (int i = 0; i < 20; i++)
                Assert.True((await ticker.C.ReceiveAsync()).Ok);
        }).Within();
        Assert.All(scheduler.Processors.ToArray(), p => Assert.Equal(0, p.Timers.Count));
    }

    [Fact]
    public Task Its_times_are_whole_periods_apart_however_late_it_is_run() => InManualTime(time =>
    {
        GoTicker ticker = Go.NewTicker(Ms(10));
        time.Advance(13);
        Ticks(ticker, 10);
        time.Advance(6);
        IsSilent(ticker);
        time.Advance(1);
        Ticks(ticker, 20);
    });

    [Fact]
    public Task Ticks_that_were_missed_are_not_made_up_for() => InManualTime(time =>
    {
        GoTicker ticker = Go.NewTicker(Ms(10));
        time.Advance(35);
        Ticks(ticker, 10);
        IsSilent(ticker);
        time.Advance(5);
        Ticks(ticker, 40);
    });

    [Fact]
    public Task Ticks_for_a_slow_receiver_are_dropped() => InManualTime(time =>
    {
        GoTicker ticker = Go.NewTicker(Ms(10));
        for (int i = 0; i < 5; i++)
            time.Advance(10);
        Ticks(ticker, 10);
        IsSilent(ticker);
        time.Advance(10);
        Ticks(ticker, 60);
    });

    [Fact]
    public Task After_stop_no_tick_can_be_received() => InManualTime(time =>
    {
        GoTicker ticker = Go.NewTicker(Ms(10));
        time.Advance(10);
        ticker.Stop();
        IsSilent(ticker);
        Assert.Equal(0, time.Heap.Count);
        time.Advance(100);
        IsSilent(ticker);
    });

    [Fact]
    public Task Reset_starts_anew_with_another_period() => InManualTime(time =>
    {
        GoTicker ticker = Go.NewTicker(Ms(10));
        time.Advance(15);
        ticker.Reset(Ms(7));
        IsSilent(ticker);
        time.Advance(6);
        IsSilent(ticker);
        time.Advance(1);
        Ticks(ticker, 22);
        ticker.Stop();
        ticker.Reset(Ms(3));
        time.Advance(3);
        Ticks(ticker, 25);
        time.Advance(3);
        Ticks(ticker, 28);
    });

    [Fact]
    public Task A_period_beyond_the_clock_never_ends() => InManualTime(time =>
    {
        GoTicker ticker = Go.NewTicker(TimeSpan.MaxValue);
        time.Advance(int.MaxValue);
        IsSilent(ticker);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_period_must_be_positive(int milliseconds)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Go.NewTicker(Ms(milliseconds)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Go.Tick(Ms(milliseconds)));
        using GoTicker ticker = Go.NewTicker(TimeSpan.MaxValue);
        Assert.Throws<ArgumentOutOfRangeException>(() => ticker.Reset(Ms(milliseconds)));
    }

    [Fact]
    public Task Tick_is_the_channel_of_a_ticker() => InManualTime(time =>
    {
        Channel<DateTimeOffset> ticks = Go.Tick(Ms(10));
        time.Advance(10);
        Assert.True(ticks.TryReceive(out DateTimeOffset _));
        time.Advance(10);
        Assert.True(ticks.TryReceive(out DateTimeOffset _));
    });
}
