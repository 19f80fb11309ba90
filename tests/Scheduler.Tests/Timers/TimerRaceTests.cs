namespace NetGo.Scheduler.Tests;

// Each arming of a timer ends in exactly one way: with what it does, or with a Stop or Reset that returns true.
public sealed class TimerRaceTests(ITestOutputHelper output)
{
    private const int Threads = 3;
    private const int Rounds = 4_000;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(2, 3)]
    public async Task A_channel_timer_sends_each_time_once_or_says_that_it_was_withdrawn(int processors, int seed)
    {
        output.WriteLine($"seed {seed}");
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        var timers = new GoTimer[4];
        await scheduler.RunAsync(() =>
        {
            for (int i = 0; i < timers.Length; i++)
                timers[i] = Go.NewTimer(TimeSpan.MaxValue);
            return Task.CompletedTask;
        }).Within();
        int received = 0;
        int withdrawn = 0;
        int armed = timers.Length;
        for (int round = 0; round < 50 && (received == 0 || withdrawn == 0); round++) // busy machines see few of the one or the other
        {
            await RaceAsync(scheduler, seed + round, random =>
            {
                GoTimer timer = timers[random.Next(timers.Length)];
                switch (random.Next(6))
                {
                    case 0:
                        Count(timer.Stop(), ref withdrawn);
                        break;
                    case < 3:
                        Count(timer.C.TryReceive(out DateTimeOffset _), ref received);
                        break;
                    default:
                        Count(timer.Reset(Soon(random)), ref withdrawn);
                        Count(true, ref armed);
                        break;
                }
            });
        }
        foreach (GoTimer timer in timers)
        {
            Count(timer.Stop(), ref withdrawn);
            Assert.False(timer.C.TryReceive(out DateTimeOffset _));
        }
        Assert.Equal(armed, received + withdrawn);
        Assert.NotEqual(0, received);
        Assert.NotEqual(0, withdrawn);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(2, 3)]
    public async Task A_function_runs_once_for_each_time_that_was_not_withdrawn(int processors, int seed)
    {
        output.WriteLine($"seed {seed}");
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        int runs = 0;
        int withdrawn = 0;
        var timers = new GoTimer[4];
        int armed = timers.Length;
        await scheduler.RunAsync(() =>
        {
            for (int i = 0; i < timers.Length; i++)
                timers[i] = Go.AfterFunc(TimeSpan.Zero, () => Interlocked.Increment(ref runs));
            return Task.CompletedTask;
        }).Within();
        await RaceAsync(scheduler, seed, random =>
        {
            GoTimer timer = timers[random.Next(timers.Length)];
            if (random.Next(4) == 0)
            {
                Count(timer.Stop(), ref withdrawn);
                return;
            }
            Count(timer.Reset(Soon(random)), ref withdrawn);
            Count(true, ref armed);
        });
        foreach (GoTimer timer in timers)
            Count(timer.Stop(), ref withdrawn);
        Bounded.NoneLeft(scheduler);
        Assert.Equal(armed, Volatile.Read(ref runs) + withdrawn);
        Assert.NotEqual(0, withdrawn);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public async Task A_ticker_that_was_stopped_is_silent_whatever_was_done_before(int processors, int seed)
    {
        output.WriteLine($"seed {seed}");
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        var tickers = new GoTicker[Threads];
        await scheduler.RunAsync(() =>
        {
            for (int i = 0; i < tickers.Length; i++)
                tickers[i] = Go.NewTicker(TimeSpan.FromMicroseconds(20));
            return Task.CompletedTask;
        }).Within();
        int next = -1;
        var mine = new ThreadLocal<GoTicker>(() => tickers[Interlocked.Increment(ref next) % tickers.Length]);
        int heard = 0;
        await RaceAsync(scheduler, seed, random =>
        {
            GoTicker ticker = mine.Value!;
            ticker.Reset(TimeSpan.FromMicroseconds(random.Next(1, 50)));
            Thread.SpinWait(random.Next(200));
            if (random.Next(2) == 0)
                ticker.C.TryReceive(out DateTimeOffset _);
            ticker.Stop();
            Thread.SpinWait(random.Next(200));
            Count(ticker.C.TryReceive(out DateTimeOffset _), ref heard);
        }, onThreads: true);
        Assert.Equal(0, heard);
        Bounded.Until(() => scheduler.Processors.ToArray().Sum(p => p.Timers.Count) == 0, "the timers");
    }

    private static void Count(bool what, ref int counter)
    {
        if (what)
            Interlocked.Increment(ref counter);
    }

    private static TimeSpan Soon(Random random) => TimeSpan.FromMicroseconds(random.Next(-1, 30));

    // Half of them goroutines, which compete with the firing on its own processor, half of them other threads.
    private static Task RaceAsync(GoScheduler scheduler, int seed, Action<Random> round, bool onThreads = false) =>
        Task.WhenAll(Enumerable.Range(0, 2 * Threads).Where(n => !onThreads || n < Threads).Select(n =>
        {
            var random = new Random(seed * 100 + n);
            return n < Threads
                ? Task.Factory.StartNew(
                    () =>
                    {
                        for (int i = 0; i < Rounds; i++)
                            round(random);
                    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                : scheduler.RunAsync(async () =>
                {
                    for (int i = 0; i < Rounds; i++)
                    {
                        round(random);
                        if (i % 8 == 0)
                            await Go.YieldAsync();
                    }
                });
        })).Within();
}
