using System.Collections.Concurrent;

namespace NetGo.Scheduler.Tests;

public sealed class SchedulerEventsTests
{
    private sealed class Recorder : SchedulerEvents
    {
        public readonly ConcurrentQueue<string> All = new();

        public bool Has(string text) => All.Contains(text);

        public override void OnSpawn(GoroutineRef goroutine) => All.Enqueue($"spawn {goroutine.Id}");

        public override void OnEnd(GoroutineRef goroutine) => All.Enqueue($"end {goroutine.Id}");

        public override void OnRun(GoroutineRef goroutine, int processor) => All.Enqueue($"run {goroutine.Id} on {processor}");

        public override void OnPark(GoroutineRef goroutine, WaitReason reason) => All.Enqueue($"park {goroutine.Id} {reason}");

        public override void OnReady(GoroutineRef goroutine) => All.Enqueue($"ready {goroutine.Id}");

        public override void OnSteal(GoroutineRef goroutine, int thief, int victim) => All.Enqueue($"steal {thief} {victim}");

        public override void OnHandOff(int processor, HandOffReason reason) => All.Enqueue($"hand-off {processor} {reason}");

        public override void OnSyscallEnter(GoroutineRef goroutine) => All.Enqueue($"enter {goroutine.Id}");

        public override void OnSyscallExit(GoroutineRef goroutine, bool lostProcessor) => All.Enqueue($"exit {goroutine.Id} {lostProcessor}");
    }

    [Fact]
    public async Task The_life_of_a_goroutine_is_told_in_order()
    {
        Recorder recorder;
        SchedulerStatistics statistics;
        do
            (recorder, statistics) = await RecordOneAsync().Within();
        while (statistics.BlockedHandOffs + statistics.TimeSliceHandOffs > 0); // the system took the core away meanwhile, and the order is another
        string[] first = [.. recorder.All.Where(e => e.Split(' ')[1] == recorder.All.First().Split(' ')[1])];
        string id = first[0].Split(' ')[1];
        string[] expected =
        [
            $"spawn {id}", $"run {id} on 0", $"park {id} ChannelReceive", $"ready {id}", $"run {id} on 0", $"park {id} Sleep", $"ready {id}",
            $"run {id} on 0", $"park {id} Yield", $"ready {id}", $"run {id} on 0",
        ];
        Assert.Equal(expected, first.Take(expected.Length));
        Assert.Equal($"end {id}", first[^1]);
        Assert.Equal(2, recorder.All.Count(e => e.StartsWith("spawn", StringComparison.Ordinal)));
        Assert.Equal(2, recorder.All.Count(e => e.StartsWith("end", StringComparison.Ordinal)));
    }

    private static async Task<(Recorder Recorder, SchedulerStatistics Statistics)> RecordOneAsync()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var recorder = new Recorder();
        scheduler.Events = recorder;
        Channel<int> channel = Channel.Make<int>();
        await scheduler.RunAsync(async () =>
        {
            Go.Spawn(async () => await channel.SendAsync(1));
            await channel.ReceiveAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            await Go.YieldAsync();
            await Task.Yield();
        });
        Bounded.NoneLeft(scheduler);
        return (recorder, scheduler.GetStatistics());
    }

    [Fact]
    public async Task Blocking_and_hand_off_are_told()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var recorder = new Recorder();
        scheduler.Events = recorder;
        long end = Environment.TickCount64 + (long)Bounded.Limit.TotalMilliseconds;
        // Where the system takes the core away for a time slice before it blocks, the hand-off is for that.
        while (!recorder.All.Contains($"hand-off 0 {HandOffReason.Syscall}"))
        {
            Assert.True(Environment.TickCount64 < end, "never handed off");
            using var release = new ManualResetEventSlim();
            Task blocked = scheduler.RunAsync(() =>
            {
                Go.Blocking(release.Wait);
                return Task.CompletedTask;
            });
            await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
            release.Set();
            await blocked.Within();
        }
        Bounded.NoneLeft(scheduler);
        Assert.Contains(recorder.All, e => e.StartsWith("enter", StringComparison.Ordinal));
        Assert.Contains(recorder.All, e => e.StartsWith("exit", StringComparison.Ordinal) && e.EndsWith("True", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stealing_is_told()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        var recorder = new Recorder();
        scheduler.Events = recorder;
        long end = Environment.TickCount64 + (long)Bounded.Limit.TotalMilliseconds;
        while (!recorder.All.Any(e => e.StartsWith("steal", StringComparison.Ordinal)))
        {
            Assert.True(Environment.TickCount64 < end, "never stolen");
            await scheduler.RunAsync(async () =>
            {
                var group = new WaitGroup();
                for (int i = 0; i < 100; i++)
                    group.Go(async () =>
                    {
                        Thread.SpinWait(1000);
                        await Go.YieldAsync();
                    });
                await group.WaitAsync();
            }).Within();
        }
        Bounded.NoneLeft(scheduler);
    }

    private sealed class Thrower : SchedulerEvents
    {
        public override void OnSpawn(GoroutineRef goroutine) => throw new TimeoutException("spawn");

        public override void OnRun(GoroutineRef goroutine, int processor) => throw new TimeoutException("run");

        public override void OnPark(GoroutineRef goroutine, WaitReason reason) => throw new TimeoutException("park");
    }

    [Fact]
    public async Task What_a_listener_throws_is_reported_and_hurts_no_goroutine()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var reports = new ConcurrentQueue<string>();
        scheduler.UnhandledException += (_, e) => reports.Enqueue(e.InnerException!.Message);
        scheduler.Events = new Thrower();
        await scheduler.RunAsync(async () =>
        {
            Go.Spawn(static () => { });
            await Go.YieldAsync();
        }).Within();
        scheduler.Events = null;
        Bounded.NoneLeft(scheduler);
        Bounded.Until(() => reports.ToHashSet().SetEquals(["spawn", "run", "park"]), "all reported");
    }
}
