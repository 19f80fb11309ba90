namespace NetGo.Scheduler.Tests.Simulations;

public sealed class SimulationTests
{
    [Fact]
    public void Sleeping_costs_no_real_time_and_the_clock_is_exact()
    {
        var woke = new List<(string Who, long Hours)>();
        long start = Environment.TickCount64;
        SimulationResult result = Simulation.Run(async () =>
        {
            long begin = GoScheduler.Current.Now();
            var group = new WaitGroup();
            foreach ((string who, int hours) in new[] { ("c", 300), ("a", 100), ("b", 200) })
            {
                group.Go(async () =>
                {
                    await Go.SleepAsync(TimeSpan.FromHours(hours));
                    woke.Add((who, (GoScheduler.Current.Now() - begin) / 3_600_000_000_000));
                });
            }
            await group.WaitAsync();
        });
        Assert.Equal([("a", 100L), ("b", 200L), ("c", 300L)], woke);
        Assert.Equal(TimeSpan.FromHours(300), result.VirtualTime);
        Assert.True(Environment.TickCount64 - start < 60_000);
    }

    private static async Task RaceAsync(List<int> order)
    {
        Channel<int> channel = Channel.Make<int>(2);
        var mutex = new GoMutex();
        var group = new WaitGroup();
        for (int i = 0; i < 5; i++)
        {
            int n = i;
            group.Go(async () =>
            {
                await mutex.LockAsync();
                order.Add(n);
                mutex.Unlock();
                await channel.SendAsync(n);
                await Go.SleepAsync(TimeSpan.FromMilliseconds(n));
                order.Add(10 + n);
            });
        }
        for (int i = 0; i < 5; i++)
            order.Add(100 + (await channel.ReceiveAsync()).Value);
        await group.WaitAsync();
    }

    [Fact]
    public void The_same_seed_goes_the_same_way()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            List<int> first = [];
            List<int> second = [];
            SimulationResult one = Simulation.Run(() => RaceAsync(first), new SimulationOptions { Seed = seed });
            SimulationResult two = Simulation.Run(() => RaceAsync(second), new SimulationOptions { Seed = seed });
            Assert.Equal(one, two);
            Assert.Equal(first, second);
            Assert.True(one.Steps > 10);
        }
    }

    [Fact]
    public void Other_seeds_go_other_ways()
    {
        var ways = new HashSet<string>();
        var traces = new HashSet<ulong>();
        Simulation.Explore(100, async () =>
        {
            List<int> order = [];
            await RaceAsync(order);
            ways.Add(string.Join(' ', order));
        });
        for (ulong seed = 1; seed <= 100; seed++)
            traces.Add(Simulation.Run(() => RaceAsync([]), new SimulationOptions { Seed = seed }).TraceHash);
        Assert.True(ways.Count > 60, $"only {ways.Count} different ways");
        Assert.True(traces.Count > 60, $"only {traces.Count} different traces");
    }

    [Fact]
    public void A_lost_update_is_found_and_its_seed_repeats_it()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Explore(1000, LostUpdateAsync));
        Assert.True(failed.Seed > 0);
        Assert.Contains($"seed {failed.Seed}", failed.Message);
        var again = Assert.Throws<SimulationException>(() => Simulation.Run(LostUpdateAsync, new SimulationOptions { Seed = failed.Seed }));
        Assert.Equal(failed.InnerException!.InnerException!.Message, again.InnerException!.InnerException!.Message);

        static async Task LostUpdateAsync()
        {
            int count = 0;
            var mutex = new GoMutex();
            var group = new WaitGroup();
            for (int i = 0; i < 3; i++)
            {
                group.Go(async () =>
                {
                    await mutex.LockAsync();
                    int read = count;
                    mutex.Unlock(); // the mistake: it should cover the write too
                    await mutex.LockAsync();
                    count = read + 1;
                    mutex.Unlock();
                });
            }
            await group.WaitAsync();
            Assert.Equal(3, count);
        }
    }

    [Fact]
    public void A_deadlock_is_reported_with_what_each_waits_for_and_where_it_was_spawned()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(async () =>
        {
            var a = new GoMutex();
            await a.LockAsync();
            Channel<int> channel = Channel.Make<int>();
            Go.Spawn(async () => await channel.SendAsync(1));
            Go.Spawn(async () => await new TaskCompletionSource().Task);
            await a.LockAsync();
        }));
        var deadlock = Assert.IsType<SimulationDeadlockException>(failed.InnerException);
        Assert.Contains("All goroutines are asleep", deadlock.Message);
        Assert.Equal(
            [WaitReason.Mutex, WaitReason.ChannelSend, WaitReason.Task],
            deadlock.Goroutines.OrderBy(g => g.SpawnSite, StringComparer.Ordinal).Select(g => g.WaitReason));
        Assert.All(deadlock.Goroutines, g => Assert.StartsWith("SimulationTests.cs:", g.SpawnSite));
        Assert.Contains("[channel send], spawned at SimulationTests.cs:", deadlock.Message);
    }

    [Fact]
    public void A_goroutine_that_the_body_leaves_behind_is_an_error()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(() =>
        {
            Channel<int> channel = Channel.Make<int>();
            Go.Spawn(async () => await channel.ReceiveAsync());
            return Task.CompletedTask;
        }));
        var deadlock = Assert.IsType<SimulationDeadlockException>(failed.InnerException);
        Assert.Contains("The body has ended", deadlock.Message);
        Assert.Equal(WaitReason.ChannelReceive, Assert.Single(deadlock.Goroutines).WaitReason);
    }

    [Fact]
    public void It_runs_to_the_end_of_the_last_goroutine()
    {
        bool ended = false;
        SimulationResult result = Simulation.Run(() =>
        {
            Go.Spawn(async () =>
            {
                await Go.SleepAsync(TimeSpan.FromDays(1));
                ended = true;
            });
            return Task.CompletedTask;
        });
        Assert.True(ended);
        Assert.Equal(TimeSpan.FromDays(1), result.VirtualTime);
    }

    [Fact]
    public void Code_that_was_not_awaited_counts_as_left_behind()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(() =>
        {
            Channel<int> channel = Channel.Make<int>();
            _ = ReceiveAsync(channel);
            _ = ReceiveAsync(channel);
            return Task.CompletedTask;
        }));
        Assert.IsType<SimulationDeadlockException>(failed.InnerException);

        static async Task ReceiveAsync(Channel<int> channel) => await channel.ReceiveAsync();
    }

    [Fact]
    public void An_exception_in_any_goroutine_fails_it()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(async () =>
        {
            Go.Spawn(() => throw new TimeoutException("oh"));
            await Go.SleepAsync(TimeSpan.FromSeconds(1));
        }, new SimulationOptions { Seed = 99 }));
        Assert.Equal(99u, failed.Seed);
        var report = Assert.IsType<UnhandledGoroutineException>(failed.InnerException);
        Assert.IsType<TimeoutException>(report.InnerException);
        Assert.Contains("spawned at SimulationTests.cs:", report.Message);
    }

    [Fact]
    public void A_program_without_end_is_stopped()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(async () =>
        {
            while (true)
                await Go.YieldAsync();
        }, new SimulationOptions { MaxSteps = 1000 }));
        Assert.Contains("1000 steps", failed.Message);
    }

    [Fact]
    public void A_clock_that_ticks_for_nobody_is_no_end_either()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(async () =>
        {
            GoTicker ticker = Go.NewTicker(TimeSpan.FromSeconds(1));
            await Channel<int>.Never.ReceiveAsync();
            ticker.Stop();
        }, new SimulationOptions { MaxSteps = 1000 }));
        Assert.Contains("1000 steps", failed.Message);
    }

    [Fact]
    public void Nobody_inside_can_hide_a_deadlock()
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Run(async () =>
        {
            GoScheduler.Current.Dispose();
            await Channel<int>.Never.ReceiveAsync();
        }));
        Assert.Equal(WaitReason.Forever, Assert.Single(Assert.IsType<SimulationDeadlockException>(failed.InnerException).Goroutines).WaitReason);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => { Simulation.Run(() => Task.CompletedTask, new SimulationOptions { MaxSteps = 0 }); });
        Assert.Throws<ArgumentOutOfRangeException>(
            () => { Simulation.Run(() => Task.CompletedTask, new SimulationOptions { OutsideWait = TimeSpan.FromSeconds(-2) }); });
    }

    [Fact]
    public void WaitAsync_waits_until_all_others_do()
    {
        Simulation.Explore(200, async () =>
        {
            int done = 0;
            for (int i = 0; i < 5; i++)
            {
                Go.Spawn(async () =>
                {
                    for (int k = 0; k < 3; k++)
                        await Go.YieldAsync();
                    done++;
                    await Go.SleepAsync(TimeSpan.FromSeconds(1));
                    done++;
                });
            }
            long before = GoScheduler.Current.Now();
            await Simulation.WaitAsync();
            Assert.Equal(5, done);
            Assert.Equal(before, GoScheduler.Current.Now());
            await Go.SleepAsync(TimeSpan.FromSeconds(1));
            await Simulation.WaitAsync();
            Assert.Equal(10, done);
        });
        Assert.Throws<InvalidOperationException>(() => { _ = Simulation.WaitAsync().AsTask(); });
    }

    [Fact]
    public async Task It_can_run_inside_of_a_goroutine_and_leaves_the_thread_as_it_was()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var local = new AsyncLocal<int> { Value = 5 };
        await scheduler.RunAsync(async () =>
        {
            SynchronizationContext? before = SynchronizationContext.Current;
            local.Value = 6;
            Simulation.Run(async () =>
            {
                Assert.Equal(6, local.Value);
                local.Value = 7;
                await Go.YieldAsync();
                Assert.Equal(7, local.Value);
            });
            Assert.Equal(6, local.Value);
            Assert.Same(before, SynchronizationContext.Current);
            Assert.Same(scheduler, GoScheduler.Current);
            await Go.YieldAsync();
        }).Within();
        Assert.Equal(5, local.Value);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Tasks_of_its_own_goroutines_can_be_awaited()
    {
        Simulation.Explore(100, async () =>
        {
            var source = new TaskCompletionSource<int>();
            Task<int> sum = Go.RunAsync(async () => await source.Task + 1);
            Go.Spawn(() => source.SetResult(1));
            int[] both = await Task.WhenAll(sum, Go.RunAsync(() => Task.FromResult(3)));
            Assert.Equal([2, 3], both);
            Task failing = Go.RunAsync(() => throw new TimeoutException());
            await Assert.ThrowsAsync<TimeoutException>(() => failing);
        });
    }

    [Fact]
    public void What_comes_from_outside_is_waited_for_if_asked()
    {
        int result = 0;
        Simulation.Run(async () => result = await Task.Run(() => 7), new SimulationOptions { OutsideWait = Bounded.Limit });
        Assert.Equal(7, result);
    }

    [Fact]
    public void What_takes_a_TimeProvider_keeps_the_virtual_time()
    {
        SimulationResult result = Simulation.Run(async () =>
        {
            Assert.Equal(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero), Go.TimeProvider.GetUtcNow());
            await Task.Delay(TimeSpan.FromDays(1), Go.TimeProvider);
            Assert.Equal(new DateTimeOffset(2000, 1, 2, 0, 0, 0, TimeSpan.Zero), Go.TimeProvider.GetUtcNow());
            using var source = new CancellationTokenSource(TimeSpan.FromDays(1), Go.TimeProvider);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Channel<int>.Never.ReceiveAsync(source.Token));
            using var periodic = new PeriodicTimer(TimeSpan.FromDays(1), Go.TimeProvider);
            for (int i = 0; i < 3; i++)
                Assert.True(await periodic.WaitForNextTickAsync());
        }, new SimulationOptions { Seed = 5 });
        Assert.Equal(TimeSpan.FromDays(5), result.VirtualTime);
    }

    [Fact]
    public void Blocking_and_locking_change_nothing_there()
    {
        Simulation.Run(async () =>
        {
            Assert.Equal(3, Go.Blocking(() => 3));
            Go.LockOSThread();
            await Go.YieldAsync();
            Go.UnlockOSThread();
            GoScheduler.Current.MaxProcs = 4;
            Assert.Equal(1, Go.MaxProcs);
        });
    }
}
