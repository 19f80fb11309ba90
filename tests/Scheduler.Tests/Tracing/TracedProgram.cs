using System.Diagnostics;

namespace NetGo.Tests;

/// <summary>A program that does a bit of everything, to be traced.</summary>
internal static class TracedProgram
{
    public static async Task RunAsync(GoScheduler scheduler)
    {
        await Task.WhenAll(
            scheduler.RunAsync(() => PingPongAsync(200)),
            scheduler.RunAsync(() => FanOutAsync(50)),
            scheduler.RunAsync(MutexAsync),
            scheduler.RunAsync(SleepAsync),
            scheduler.RunAsync(ForeignAsync),
            scheduler.RunAsync(BlockAsync),
            scheduler.RunAsync(UserAsync)).Within();
        long handOffs = scheduler.GetStatistics().TimeSliceHandOffs;
        do // one has to wait; where the system takes a core away meanwhile, it may look like a thread that has blocked
            await Task.WhenAll(Enumerable.Range(0, scheduler.MaxProcs + 1).Select(_ => scheduler.RunAsync(ComputeAsync))).Within();
        while (scheduler.GetStatistics().TimeSliceHandOffs == handOffs);
        GC.Collect(0);
        Bounded.NoneLeft(scheduler);
    }

    private static async Task PingPongAsync(int rounds)
    {
        var ping = new Channel<int>(0);
        var pong = new Channel<int>(0);
        Go.Spawn(async () =>
        {
            for (int i = 0; i < rounds; i++)
                await pong.SendAsync((await ping.ReceiveAsync()).Value);
        });
        for (int i = 0; i < rounds; i++)
        {
            await ping.SendAsync(i);
            Assert.Equal((i, true), await pong.ReceiveAsync());
        }
    }

    private static async Task FanOutAsync(int width)
    {
        var all = new WaitGroup();
        for (int i = 0; i < width; i++)
        {
            all.Add(1);
            Go.Spawn(async () =>
            {
                for (int j = 0; j < 20; j++)
                    await Go.YieldAsync();
                all.Done();
            });
        }
        await all.WaitAsync();
    }

    private static async Task MutexAsync()
    {
        var mutex = new GoMutex();
        var all = new WaitGroup();
        for (int i = 0; i < 8; i++)
        {
            all.Add(1);
            Go.Spawn(async () =>
            {
                for (int j = 0; j < 20; j++)
                {
                    await mutex.LockAsync();
                    await Go.YieldAsync();
                    mutex.Unlock();
                }
                all.Done();
            });
        }
        await all.WaitAsync();
    }

    private static async Task SleepAsync()
    {
        for (int i = 0; i < 5; i++)
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
    }

    private static async Task ForeignAsync()
    {
        for (int i = 0; i < 5; i++)
            await Task.Delay(1);
        await Task.WhenAll(OtherAsync(), OtherAsync()); // two at a time: branches

        static async Task OtherAsync()
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(2));
            await Task.Yield();
        }
    }

    private static async Task BlockAsync()
    {
        for (int i = 0; i < 3; i++)
        {
            Go.Blocking(static () => Thread.Sleep(5));
            await Go.YieldAsync();
            Thread.Sleep(15);
            await Go.YieldAsync();
        }
        Thread.Sleep(15); // and ends without a processor
    }

    private static Task ComputeAsync()
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < TimeSpan.FromMilliseconds(60))
            _ = Math.Sqrt(begin);
        return Task.CompletedTask;
    }

    private static async Task UserAsync()
    {
        using TraceTask task = GoTrace.NewTask(Context.Background, "make tea");
        GoTrace.Log(task.Context, "kettle", "cold");
        await GoTrace.WithRegionAsync(task.Context, "boil", async () =>
        {
            using (GoTrace.StartRegion(task.Context, "fill"))
                await Go.YieldAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        });
        using (TraceTask inner = GoTrace.NewTask(task.Context, "pour"))
            GoTrace.Log(inner.Context, "", "poured");
        GoTrace.Log(task.Context, "kettle", $"empty after {3} cups");
    }
}
