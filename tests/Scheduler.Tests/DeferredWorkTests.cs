namespace NetGo.Scheduler.Tests;

/// <summary>Machine.Deferred.cs: what the running code defers is done when it gives way, and when sysmon sees that it does not.</summary>
public class DeferredWorkTests
{
    private sealed class Work : IDeferredWork
    {
        private int _done;

        public IDeferredWork? NextDeferred { get; set; }

        public int Done => Volatile.Read(ref _done);

        public Thread? Thread { get; private set; }

        public void RunDeferred()
        {
            Thread = Thread.CurrentThread;
            Interlocked.Increment(ref _done);
        }
    }

    [Fact]
    public async Task It_is_done_when_the_goroutine_parks_and_when_it_ends()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var parks = new Work();
        var ends = new Work();
        await scheduler.RunAsync(async () =>
        {
            Assert.True(Machine.TryDefer(scheduler, parks));
            await Go.YieldAsync();
            Assert.Equal(1, parks.Done);
            Assert.True(Machine.TryDefer(scheduler, ends));
        }).Within();
        Bounded.Until(() => ends.Done == 1, "done");
        Assert.Equal(1, parks.Done);
    }

    [Fact]
    public async Task It_is_done_once_and_can_be_deferred_again()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Work[] all = [new(), new(), new()];
        await scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                foreach (Work work in all)
                {
                    Bounded.Until(() => work.Done == i, "done"); // before: it may be in one list only, and sysmon may have taken that
                    Assert.True(Machine.TryDefer(scheduler, work));
                }
                await Go.YieldAsync();
            }
        }).Within();
        foreach (Work work in all)
            Bounded.Until(() => work.Done == 1_000, "done");
    }

    [Fact]
    public async Task It_is_not_taken_where_nobody_would_do_it()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using GoScheduler other = Bounded.NewScheduler(1);
        var work = new Work();
        Assert.False(await Task.Run(() => Machine.TryDefer(scheduler, work))); // no machine
        await other.RunAsync(() =>
        {
            Assert.False(Machine.TryDefer(scheduler, work)); // another's
            return Task.CompletedTask;
        }).Within();
        await scheduler.RunAsync(() =>
        {
            Go.Blocking(() => Assert.False(Machine.TryDefer(scheduler, work)));
            return Task.CompletedTask;
        }).Within();
        Assert.Equal(0, work.Done);
    }

    private sealed class Callback(GoScheduler scheduler) : RuntimeTimer
    {
        private int _deferred = -1;

        public int Deferred => Volatile.Read(ref _deferred);

        internal override void Fire(long now) => Volatile.Write(ref _deferred, Machine.TryDefer(scheduler, new Work()) ? 1 : 0);
    }

    [Fact]
    public async Task It_is_not_taken_from_a_timer_s_callback()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var timer = new Callback(scheduler);
        await scheduler.RunAsync(() =>
        {
            Processor processor = Machine.OfThisThread!.Pin(out int previous)!;
            processor.Timers.Start(timer, scheduler.Now());
            Machine.OfThisThread.Unpin(previous);
            return Task.CompletedTask;
        }).Within();
        Bounded.Until(() => timer.Deferred >= 0, "fired");
        Assert.Equal(0, timer.Deferred);
    }

    [Fact]
    public async Task It_is_not_taken_on_a_machine_that_has_lost_its_processor()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var work = new Work();
        await scheduler.RunAsync(() =>
        {
            long before = scheduler.HandOffCount;
            Bounded.Until(() => scheduler.HandOffCount > before, "it is found blocked");
            Thread.Sleep(1);
            Assert.False(Machine.TryDefer(scheduler, work));
            return Task.CompletedTask;
        }).Within();
        Assert.Equal(0, work.Done);
    }

    [Fact]
    public async Task It_is_done_before_the_code_says_that_it_blocks()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        int byItself = 0;
        for (int i = 0; i < 20; i++)
        {
            await scheduler.RunAsync(() =>
            {
                var work = new Work();
                Assert.True(Machine.TryDefer(scheduler, work));
                Go.Blocking(() =>
                {
                    Bounded.Until(() => work.Done == 1, "done");
                    if (work.Thread == Thread.CurrentThread)
                        byItself++;
                });
                return Task.CompletedTask;
            }).Within();
        }
        Assert.True(byItself > 0); // sysmon is seldom the first
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sysmon_does_it_for_code_that_goes_on(bool blocks)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var work = new Work();
        await scheduler.RunAsync(() =>
        {
            Assert.True(Machine.TryDefer(scheduler, work));
            long begin = Environment.TickCount64;
            if (blocks)
                while (work.Done == 0 && Environment.TickCount64 - begin < Bounded.Limit.TotalMilliseconds)
                    Thread.Sleep(200);
            else
                ComputeUntilDone(work);
            Assert.Equal(1, work.Done);
            Assert.NotSame(Thread.CurrentThread, work.Thread);
            return Task.CompletedTask;
        }).Within();
        Assert.Equal(1, work.Done);
    }

    // Bounded.Until would sleep between looks.
    private static void ComputeUntilDone(Work work)
    {
        long start = Environment.TickCount64;
        while (work.Done == 0)
            Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds);
    }

    [Fact]
    public async Task It_is_done_when_the_processor_goes()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        for (int i = 0; i < 20; i++)
        {
            Work[] works = [new(), new()];
            using var both = new Barrier(2);
            await Task.WhenAll(works.Select(work => scheduler.RunAsync(() =>
            {
                both.SignalAndWait(Bounded.Limit);
                if (!Machine.TryDefer(scheduler, work))
                    work.RunDeferred(); // it had lost its processor at the barrier
                scheduler.MaxProcs = 1;
                Bounded.Until(() => work.Done > 0, "done");
                return Task.CompletedTask;
            }))).Within();
            scheduler.MaxProcs = 2;
            Assert.All(works, static work => Assert.Equal(1, work.Done));
        }
    }
}
