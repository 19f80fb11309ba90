namespace NetGo.Scheduler.Tests;

public sealed class GoroutineLeaksTests
{
    [Fact]
    public async Task Those_that_end_are_no_leak()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await using GoroutineLeaks leaks = GoroutineLeaks.Watch(scheduler);
        scheduler.Spawn(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(20)));
    }

    [Fact]
    public async Task One_that_stays_fails_and_is_named()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Channel<int> channel = Channel.Make<int>();
        scheduler.Spawn(async () => await channel.ReceiveAsync()); // before: not the test's
        Bounded.Until(() => scheduler.Goroutines().Any(g => g.WaitReason == WaitReason.ChannelReceive), "it waits");
        GoroutineLeaks leaks = GoroutineLeaks.Watch(scheduler);
        scheduler.Spawn(async () => await channel.ReceiveAsync());
        Bounded.Until(() => scheduler.Goroutines().Count(g => g.WaitReason == WaitReason.ChannelReceive) == 2, "it waits, too");
        var leak = await Assert.ThrowsAsync<GoroutineLeakException>(() => leaks.CheckAsync(TimeSpan.FromMilliseconds(50)));
        GoroutineInfo left = Assert.Single(leak.Goroutines);
        Assert.StartsWith("GoroutineLeaksTests.cs:", left.SpawnSite);
        Assert.Contains("[channel receive], spawned at GoroutineLeaksTests.cs:", leak.Message);
        channel.Close();
        await leaks.CheckAsync();
    }

    [Fact]
    public async Task The_caller_does_not_count()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        GoroutineLeaks leaks = GoroutineLeaks.Watch(scheduler);
        await scheduler.RunAsync(() => leaks.CheckAsync()).Within();
    }

    [Fact]
    public async Task Goroutines_are_listed_with_what_they_wait_for()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Channel<int> channel = Channel.Make<int>();
        var never = new TaskCompletionSource();
        var mutex = new GoMutex();
        await mutex.LockAsync();
        scheduler.Spawn(async () => await channel.ReceiveAsync());
        scheduler.Spawn(() => never.Task);
        scheduler.Spawn(async () => await mutex.LockAsync());
        scheduler.Spawn(async () => await Go.SleepAsync(TimeSpan.FromDays(1)));
        HashSet<WaitReason> expected = [WaitReason.ChannelReceive, WaitReason.Task, WaitReason.Mutex, WaitReason.Sleep];
        Bounded.Until(() => expected.SetEquals(scheduler.Goroutines().Where(g => g.Status == GoroutineStatus.Waiting).Select(g => g.WaitReason)), "all wait");
        Assert.Equal(4, scheduler.Goroutines().Count);
        Assert.Equal(["sleep", "channel receive", "mutex", "task"],
            scheduler.Goroutines().Select(g => g.ToString().Split('[', ']')[1]).OrderByDescending(t => t == "sleep").ThenBy(t => t, StringComparer.Ordinal));
        Assert.Equal("goroutine 3 [IO wait], spawned at A.cs:1", new GoroutineInfo(3, "A.cs:1", GoroutineStatus.Waiting, WaitReason.IOWait, false).ToString());
        Assert.Equal("goroutine 3 [RW mutex read], spawned at A.cs:1", new GoroutineInfo(3, "A.cs:1", GoroutineStatus.Waiting, WaitReason.RWMutexRead, false).ToString());
        Assert.Equal("goroutine 3 [runnable], spawned at A.cs:1", new GoroutineInfo(3, "A.cs:1", GoroutineStatus.Runnable, WaitReason.None, false).ToString());
    }
}
