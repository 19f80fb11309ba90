namespace NetGo.Scheduler.Tests;

public sealed class WorkStealingTests
{
    private const int Goroutines = 200; // a ring has room for them, so that none of them goes to the global queue

    [Fact]
    public async Task Without_it_a_processor_runs_what_it_has_itself()
    {
        // Where the system takes the core away from a machine, it looks blocked: its processor is handed off, and what it spawns then is for all.
        while (await RunAsync() > 0)
            ;
    }

    private static async Task<long> RunAsync()
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(4);
        scheduler.StealsWork = false;
        var processors = new HashSet<int>();
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
                    lock (processors)
                        processors.Add(ProcessorOfThisThread());
                    ran++;
                });
            }
            await group.WaitAsync();
        }).Within();
        Volatile.Write(ref done, true);
        await others.Within();
        Assert.Equal(Goroutines, ran);
        SchedulerStatistics statistics = scheduler.GetStatistics();
        Assert.Equal(0, statistics.Processors.Sum(static p => p.Steals));
        if (statistics.BlockedHandOffs == 0)
            Assert.Single(processors);
        return statistics.BlockedHandOffs;
    }

    private static int ProcessorOfThisThread()
    {
        Machine machine = Machine.OfThisThread!;
        int index = machine.Pin(out int previous)?.Index ?? -1;
        machine.Unpin(previous);
        return index;
    }
}
