namespace NetGo.Scheduler.Tests.Simulations;

public sealed class TimerExploration
{
    private static long Now => GoScheduler.Current.Now();

    private static long In(TimeSpan duration) => Now + Math.Max(0, duration.Ticks * 100);

    /// <summary>What a timer has been set to. Each setting ends in one way: it fires, or a Stop or Reset returns true.</summary>
    private sealed class Settings
    {
        private readonly List<long> _due = [];
        private int _fired;
        private int _stopped;

        public int Open => _due.Count - _fired - _stopped;

        public void Set(TimeSpan duration) => _due.Add(In(duration));

        public void Stopped(bool stopped) => _stopped += stopped ? 1 : 0;

        public void Fired(long at)
        {
            Assert.Contains(at, _due);
            _fired++;
            Assert.True(Open >= 0);
        }
    }

    /// <summary>Timers with functions, stopped and reset by all, their functions included.</summary>
    [Exploration]
    public void A_function_is_started_once_for_each_time_that_was_not_stopped() => Exploration.Run(async choices =>
    {
        var settings = new Settings();
        TimeSpan first = choices.Milliseconds(0, 5);
        settings.Set(first);
        GoTimer timer = null!;
        timer = Go.AfterFunc(first, async () =>
        {
            settings.Fired(Now);
            if (choices.OneIn(3))
                Reset(choices);
            else if (choices.OneIn(4))
                await choices.PauseAsync();
        });
        await choices.TogetherAsync(choices.Between(1, 5), async (_, own) =>
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                if (own.OneIn(3))
                    settings.Stopped(timer.Stop());
                else
                    Reset(own);
                await own.PauseAsync();
            }
        });
        await Go.SleepAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, settings.Open);
        Assert.False(timer.Stop());

        void Reset(Choices own)
        {
            TimeSpan duration = own.Milliseconds(-1, 5);
            settings.Set(duration);
            settings.Stopped(timer.Reset(duration));
        }
    });

    /// <summary>Timers with channels, where Stop and Reset take back what nobody has received.</summary>
    [Exploration]
    public void A_time_is_sent_once_exactly_when_it_is_due() => Exploration.Run(async choices =>
    {
        var settings = new Settings();
        DateTimeOffset origin = GoScheduler.Current.TimeProvider.GetUtcNow();
        long originTime = Now;
        int waiting = 0;
        TimeSpan first = choices.Milliseconds(0, 5);
        settings.Set(first);
        using GoTimer timer = Go.NewTimer(first);
        await choices.TogetherAsync(choices.Between(1, 5), async (_, own) =>
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                int open = settings.Open;
                switch (own.Below(5))
                {
                    case 0:
                        EndedBy(open, timer.Stop());
                        break;
                    case 1 or 2:
                        TimeSpan duration = own.Milliseconds(-1, 5);
                        settings.Set(duration);
                        EndedBy(open, timer.Reset(duration));
                        break;
                    case 3:
                        if (timer.C.TryReceive(out DateTimeOffset time))
                            Received(time);
                        break;
                    default:
                        var select = new Select();
                        ReceiveCase<DateTimeOffset> fires = select.Receive(timer.C);
                        waiting++;
                        if (await select.WaitAsync(own.Milliseconds(0, 6)) == fires.Index)
                            Received(fires.Value);
                        waiting--;
                        break;
                }
                await own.PauseAsync();
            }
        });
        await Go.SleepAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(settings.Open, timer.C.Count);

        // One who waits may have the time and not have gone on yet.
        void EndedBy(int open, bool stopped)
        {
            if (waiting == 0)
                Assert.Equal(open, stopped ? 1 : 0);
            settings.Stopped(stopped);
        }

        void Received(DateTimeOffset time) => settings.Fired(originTime + (time - origin).Ticks * 100);
    });

    [Exploration]
    public void Ticks_are_whole_periods_apart_and_dropped_for_who_is_slow() => Exploration.Run(async choices =>
    {
        TimeSpan period = choices.Milliseconds(1, 5);
        DateTimeOffset start = GoScheduler.Current.TimeProvider.GetUtcNow();
        using GoTicker ticker = Go.NewTicker(period);
        DateTimeOffset last = start;
        for (int i = choices.Between(1, 10); i > 0; i--)
        {
            (DateTimeOffset tick, bool ok) = await ticker.C.ReceiveAsync();
            DateTimeOffset now = GoScheduler.Current.TimeProvider.GetUtcNow();
            Assert.True(ok);
            Assert.True(tick > last && tick <= now);
            Assert.Equal(0, (tick - start).Ticks % period.Ticks);
            last = tick;
            await Go.SleepAsync(choices.Milliseconds(0, 12));
            if (choices.OneIn(5))
            {
                period = choices.Milliseconds(1, 5);
                ticker.Reset(period);
                last = start = GoScheduler.Current.TimeProvider.GetUtcNow();
            }
            Assert.InRange(ticker.C.Count, 0, 1);
        }
        ticker.Stop();
        Assert.False(ticker.C.TryReceive(out _));
        await Go.SleepAsync(TimeSpan.FromSeconds(1));
        Assert.False(ticker.C.TryReceive(out _));
    });

    /// <summary>Sleeps, delays and time-outs of every kind end exactly when they are due, or when they are canceled.</summary>
    [Exploration]
    public void Who_sleeps_wakes_at_the_time_and_who_is_canceled_at_that_of_the_cancellation() => Exploration.Run(async choices =>
    {
        await choices.TogetherAsync(choices.Between(1, 8), async (_, own) =>
        {
            for (int i = own.Between(1, 4); i > 0; i--)
            {
                TimeSpan duration = own.Milliseconds(1, 6);
                TimeSpan until = own.Milliseconds(1, 6);
                long due = In(duration);
                switch (own.Below(7))
                {
                    case 0:
                        await Go.SleepAsync(duration);
                        break;
                    case 1:
                        await Task.Delay(duration, Go.TimeProvider);
                        break;
                    case 2:
                        Assert.True((await Go.After(duration).ReceiveAsync()).Ok);
                        break;
                    case 3:
                        Assert.Equal(-1, await new Select().WaitAsync(duration));
                        break;
                    case 4:
                        using (var periodic = new PeriodicTimer(duration, Go.TimeProvider))
                        {
                            Assert.True(await periodic.WaitForNextTickAsync());
                            Assert.Equal(due, Now);
                            Assert.True(await periodic.WaitForNextTickAsync());
                            due += duration.Ticks * 100;
                        }
                        break;
                    case 5:
                        using (var timed = new CancellationTokenSource(duration, Go.TimeProvider))
                            Assert.False(await SleepAsync(TimeSpan.FromHours(1), timed.Token));
                        break;
                    default:
                        var source = new CancellationTokenSource();
                        using (Go.AfterFunc(until, source.Cancel))
                            due = await SleepAsync(duration, source.Token) ? due : due - (duration - until).Ticks * 100;
                        break;
                }
                Assert.Equal(due, Now);
            }
        });
        Exploration.NoTimersLeft();

        static async Task<bool> SleepAsync(TimeSpan duration, CancellationToken token)
        {
            try
            {
                await Go.SleepAsync(duration, token);
                return true;
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(token, e.CancellationToken);
                return false;
            }
        }
    });

    [Fact]
    public void A_timer_that_is_reset_without_a_look_at_what_it_says_is_found() => Exploration.Finds(async choices =>
    {
        int pending = 1;
        int done = 0;
        using GoTimer timer = Go.AfterFunc(TimeSpan.FromMilliseconds(2), () => { done++; });
        await choices.PauseAsync();
        await choices.PauseAsync();
        timer.Reset(TimeSpan.FromMilliseconds(2)); // the mistake: true says that the first time does not count any more
        pending++;
        await Go.SleepAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(pending, done);
    });
}
