namespace NetGo.Scheduler.Tests;

public sealed class GoroutineRegistryTests
{
    [Fact]
    public void What_is_dropped_goes_and_what_stays_is_listed_throughout()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var registry = new GoroutineRegistry();
        var random = new Random(17);
        HashSet<Goroutine> kept = [];
        Queue<Goroutine> others = [];
        for (int i = 0; i < 50; i++)
        {
            var g = new Goroutine(scheduler);
            registry.Add(g, i);
            kept.Add(g);
        }
        for (int i = 0; i < 50_000; i++)
        {
            var g = new Goroutine(scheduler);
            registry.Add(g, random.Next());
            others.Enqueue(g);
            if (others.Count > 1_000)
                registry.Drop(others.Dequeue());
            if (i % 5_000 == 0)
                Assert.Superset(kept, registry.All().ToHashSet());
        }
        HashSet<Goroutine> all = [.. registry.All()];
        Assert.Superset(kept, all);
        Assert.Superset(others.ToHashSet(), all);
        Assert.InRange(all.Count, 1_050, 4_000);
    }

    [Fact]
    public async Task A_list_taken_while_goroutines_come_and_go_confuses_none_with_another()
    {
        const int Rounds = 20_000;
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Channel<int> never = Channel.Make<int>();
        scheduler.Spawn(() => never.ReceiveAsync().AsTask(), "stays", 1);
        using var stop = new CancellationTokenSource();
        Task spawning = scheduler.RunAsync(async () =>
        {
            var group = new WaitGroup();
            for (int i = 0; i < Rounds; i++)
            {
                group.Add(1);
                // Those of different files are of different kinds: one parks, one awaits something foreign, one does neither.
                if (i % 3 == 0)
                    scheduler.Spawn(async () => { await Go.YieldAsync(); group.Done(); }, "yields", 2);
                else if (i % 3 == 1)
                    scheduler.Spawn(async () => { await Task.Yield(); group.Done(); }, "foreign", 3);
                else
                    scheduler.Spawn(() => group.Done(), "plain", 4);
                if (i % 100 == 0)
                    await group.WaitAsync();
            }
            await group.WaitAsync();
        });
        while (!spawning.IsCompleted)
        {
            List<GoroutineInfo> list = [.. scheduler.Goroutines()];
            Assert.Single(list, g => g.SpawnFile == "stays");
            Assert.All(list, g => Assert.Equal(g.SpawnFile switch { "stays" => 1, "yields" => 2, "foreign" => 3, "plain" => 4, _ => g.SpawnLine }, g.SpawnLine));
            Assert.All(list, g => Assert.False(g.SpawnFile == "plain" && g.Status == GoroutineStatus.Waiting));
            Assert.DoesNotContain(list.Where(g => !g.IsBranch).GroupBy(g => g.Id), same => same.Count() > 1);
        }
        await spawning.Within();
        never.Close();
        Bounded.NoneLeft(scheduler);
        Assert.InRange(scheduler.AllGoroutines.Count(), 1, 3_000);
    }

    [Fact]
    public void How_long_one_waits_is_told_from_when_it_was_seen_to()
    {
        var clock = new ManualClock();
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, TimeProvider = clock, DeadlockAfter = Timeout.InfiniteTimeSpan });
        Channel<int> channel = Channel.Make<int>();
        scheduler.Spawn(async () =>
        {
            await channel.ReceiveAsync();
            await channel.ReceiveAsync();
        });
        Bounded.Until(() => Waiting()?.WaitTime == TimeSpan.Zero, "it is seen to wait");
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(TimeSpan.FromMinutes(5), Waiting()!.WaitTime);
        Assert.StartsWith("goroutine 1 [channel receive, 5 minutes]:\n", GoroutineDump.Take(scheduler));
        Assert.True(channel.TrySend(1));
        Bounded.Until(() => Waiting()?.WaitTime == TimeSpan.Zero, "it waits anew");
        clock.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(TimeSpan.FromSeconds(7), Waiting()!.WaitTime);
        channel.Close();
        Bounded.NoneLeft(scheduler);

        GoroutineInfo? Waiting() => scheduler.Goroutines().SingleOrDefault(g => g.Status == GoroutineStatus.Waiting);
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _ticks = 1;

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);
    }
}
