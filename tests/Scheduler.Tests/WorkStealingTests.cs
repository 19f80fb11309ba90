namespace NetGo.Scheduler.Tests;

public sealed class WorkStealingTests
{
    private const int Goroutines = 200; // a ring has room for them, so that none goes to the global queue

    [Fact]
    public async Task Without_it_a_processor_runs_what_it_has_itself()
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(4);
        scheduler.StealsWork = false;
        var processors = new HashSet<int>();
        int ran = 0;
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
        Assert.Equal(Goroutines, ran);
        Assert.Single(processors);
        Assert.Equal(0, scheduler.GetStatistics().Processors.Sum(static p => p.Steals));
    }

    private static int ProcessorOfThisThread()
    {
        Machine machine = Machine.OfThisThread!;
        int index = machine.Pin(out int previous)?.Index ?? -1;
        machine.Unpin(previous);
        return index;
    }
}
