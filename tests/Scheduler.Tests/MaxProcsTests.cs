namespace NetGo.Scheduler.Tests;

/// <summary>GOMAXPROCS changed while the scheduler is in use.</summary>
public sealed class MaxProcsTests
{
    [Fact]
    public async Task Up_and_down_under_load_loses_nothing()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        int[] counts = [1, 4, 2, 8, 1, 3, 16, 1, 2];
        bool stop = false;
        long slept = 0;
        long passed = 0;
        Task load = Task.WhenAll(Enumerable.Range(0, 50).Select(n => scheduler.RunAsync(async () =>
        {
            Channel<int> channel = Channel.Make<int>();
            while (!Volatile.Read(ref stop))
            {
                Go.Spawn(async () => await channel.SendAsync(1));
                passed += (await channel.ReceiveAsync()).Value; // roughly: it only has to grow
                if (n % 5 == 0)
                {
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1 + n % 3));
                    Interlocked.Increment(ref slept);
                }
                if (n % 7 == 0)
                    await Task.Yield();
            }
        })));
        for (int round = 0; round < 3; round++)
        {
            foreach (int count in counts)
            {
                scheduler.MaxProcs = count;
                Assert.Equal(count, scheduler.MaxProcs);
                long sleptBefore = Interlocked.Read(ref slept);
                long passedBefore = Volatile.Read(ref passed);
                Bounded.Until(() => Interlocked.Read(ref slept) > sleptBefore + 10, "sleepers wake");
                Bounded.Until(() => Volatile.Read(ref passed) > passedBefore, "others run");
            }
        }
        Volatile.Write(ref stop, true);
        await load.Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Timers_of_a_processor_that_goes_are_adopted()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(4);
        Task[] sleepers = [.. Enumerable.Range(0, 1000).Select(_ => scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromSeconds(2))))];
        Bounded.Until(() => scheduler.Processors.ToArray().Sum(p => p.Timers.Count) == 1000, "all sleep");
        scheduler.MaxProcs = 1;
        await Task.WhenAll(sleepers).Within();
        foreach (Processor p in scheduler.AllProcessors[1..])
            Bounded.Until(() => p.Phase == ProcessorPhase.Retired && p.Machine is null && p.Timers.Count == 0, "retired");
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task One_processor_more_runs_one_goroutine_more_at_a_time()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.MaxProcs = 3;
        using var together = new Barrier(3);
        // Each blocks until all three are running: with fewer processors sysmon would have to hand off first.
        bool[] met = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => scheduler.RunAsync(() => Task.FromResult(together.SignalAndWait(Bounded.Limit))))).Within();
        Assert.Equal([true, true, true], met);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_processor_in_use_by_code_that_computes_goes_too()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        bool stop = false;
        int spinning = 0;
        Task[] spinners = [.. Enumerable.Range(0, 2).Select(_ => scheduler.RunAsync(() =>
        {
            Interlocked.Increment(ref spinning);
            while (!Volatile.Read(ref stop))
                Thread.SpinWait(20);
            return Task.CompletedTask;
        }))];
        Bounded.Until(() => Volatile.Read(ref spinning) == 2, "both spin");
        scheduler.MaxProcs = 1;
        Processor second = scheduler.AllProcessors[1];
        Bounded.Until(() => second.Phase == ProcessorPhase.Retired, "taken from the one that computes");
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Volatile.Write(ref stop, true);
        await Task.WhenAll(spinners).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_processor_that_comes_back_before_it_was_gone_stays()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        for (int i = 0; i < 2000; i++)
        {
            scheduler.MaxProcs = 1;
            scheduler.MaxProcs = 2;
        }
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        }))).Within();
        Bounded.Until(() => scheduler.Processors.ToArray().All(p => p.Phase == ProcessorPhase.Active && p.Machine is not null), "both in use");
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Out_of_range_is_refused()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.MaxProcs = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.MaxProcs = 1025);
        scheduler.Dispose();
        Assert.Throws<ObjectDisposedException>(() => scheduler.MaxProcs = 2);
    }

    [Fact]
    public void More_than_there_may_be_threads_is_refused_and_changes_nothing()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, MaxMachines = 3 });
        Assert.Throws<MachineLimitException>(() => scheduler.MaxProcs = 5);
        Assert.Equal(1, scheduler.MaxProcs);
        scheduler.MaxProcs = 2;
        Assert.Equal(2, scheduler.MaxProcs);
    }

    [Fact]
    public void Stops_with_processors_on_their_way_out()
    {
        for (int i = 0; i < 20; i++)
        {
            GoScheduler scheduler = Bounded.NewScheduler(4);
            scheduler.Spawn(async () => await Go.YieldAsync());
            scheduler.MaxProcs = 1;
            scheduler.Dispose();
            Assert.DoesNotContain(scheduler.AllProcessors.ToArray(), p => p.Machine is { HasEnded: false });
        }
    }

    private sealed class FakePoller : IPoller
    {
        private readonly SemaphorePoller _inner = new();
        public readonly HashSet<IPoller> Adopted = [];
        public bool IsDisposed;
        public int ReleasesLeft = int.MaxValue;

        public bool HasRegistrations => false;

        public void Poll(long timeout, ref GoroutineQueue ready) => _inner.Poll(timeout, ref ready);

        public void Wake() => _inner.Wake();

        public bool TryAdopt(IPoller other) => Adopted.Add(other);

        public bool TryRelease(IPoller other) => ReleasesLeft-- > 0 && Adopted.Remove(other);

        public void Dispose()
        {
            IsDisposed = true;
            _inner.Dispose();
        }
    }

    [Fact]
    public async Task A_change_that_fails_half_way_changes_nothing()
    {
        List<FakePoller> pollers = [];
        using (GoScheduler scheduler = Bounded.NewScheduler(3))
        {
            int allowed = 3;
            IPoller Make(int index)
            {
                if (pollers.Count == allowed)
                    throw new IOException("no more");
                var made = new FakePoller();
                pollers.Add(made);
                return made;
            }
            scheduler.PollerFor(0, Make);
            scheduler.MaxProcs = 1;
            foreach (Processor p in scheduler.AllProcessors[1..])
                Bounded.Until(() => p.Phase == ProcessorPhase.Retired, "gone");
            Assert.Equal(2, pollers[0].Adopted.Count);
            Assert.Throws<IOException>(() => scheduler.MaxProcs = 5); // the fourth and fifth have no poller yet
            Assert.Equal(1, scheduler.MaxProcs);
            Assert.Equal(2, pollers[0].Adopted.Count);
            await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
            allowed = 10;
            pollers[0].ReleasesLeft = 1;
            Assert.Throws<IOException>(() => scheduler.MaxProcs = 3); // the first is released, and taken back
            Assert.Equal(2, pollers[0].Adopted.Count);
            pollers[0].ReleasesLeft = int.MaxValue;
            scheduler.MaxProcs = 5;
            Assert.Empty(pollers[0].Adopted);
            Assert.All(scheduler.Processors.ToArray(), p => Assert.NotNull(p.Machine));
            await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
            Bounded.NoneLeft(scheduler);
        }
        Assert.All(pollers, p => Assert.True(p.IsDisposed));
    }

    [Fact]
    public async Task Disposed_of_by_one_of_its_goroutines_it_lets_go_of_everything_all_the_same()
    {
        var poller = new FakePoller();
        GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.PollerFor(0, _ => poller);
        var returned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.Spawn(() =>
        {
            scheduler.Dispose();
            returned.SetResult();
        });
        await returned.Task.Within();
        Bounded.Until(() => poller.IsDisposed, "released by the last thread");
    }
}
