namespace NetGo.Scheduler.Tests;

public sealed class WorkStealingTests
{
    private const int Goroutines = 200;

    [Fact]
    public async Task Nothing_is_stolen_where_it_is_switched_off()
    {
        long begin = Environment.TickCount64;
        while (await StealsAsync(stealsWork: true) == 0) // the same program, of which others steal sooner or later
            Assert.InRange(Environment.TickCount64 - begin, 0, Bounded.Limit.TotalMilliseconds);
        for (int i = 0; i < 10; i++)
            Assert.Equal(0, await StealsAsync(stealsWork: false));
    }

    private static async Task<long> StealsAsync(bool stealsWork)
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(4);
        scheduler.StealsWork = stealsWork;
        int ran = 0;
        bool done = false;
        // Small things on the global queue keep the other processors awake, and looking for more.
        var others = Task.Run(() =>
        {
            while (!Volatile.Read(ref done))
            {
                scheduler.Spawn(static () => { });
                Thread.Sleep(0);
            }
        });
        await scheduler.RunAsync(async () =>
        {
            var group = new WaitGroup();
            for (int i = 0; i < Goroutines; i++)
            {
                group.Go(() =>
                {
                    Thread.SpinWait(2000);
                    Interlocked.Increment(ref ran);
                });
            }
            await group.WaitAsync();
        }).Within();
        Volatile.Write(ref done, true);
        await others.Within();
        Assert.Equal(Goroutines, ran);
        return scheduler.GetStatistics().Processors.Sum(static p => p.Steals);
    }
}
