namespace NetGo.Scheduler.Tests;

public sealed class SchedulingPolicyTests
{
    // So that sysmon does not interfere with the order when this process has to wait for a core.
    private static readonly TimeSpan s_longSlice = TimeSpan.MaxValue;

    /// <summary>The built-in order.</summary>
    private sealed class LongSlicePolicy : SchedulingPolicy
    {
        public override TimeSpan TimeSlice => s_longSlice;

        public override SchedulingOrder? CreateOrder(int processor) => null;
    }

    /// <summary>Last in, first out.</summary>
    private sealed class StackPolicy : SchedulingPolicy
    {
        public override TimeSpan TimeSlice => s_longSlice;

        public override SchedulingOrder CreateOrder(int processor) => new Order();

        private sealed class Order : SchedulingOrder
        {
            private readonly Stack<GoroutineRef> _stack = new();

            public override void Add(GoroutineRef goroutine, bool next, long now) => _stack.Push(goroutine);

            public override GoroutineRef TakeNext(long now) => _stack.Pop();
        }
    }

    private static async Task<List<int>> OrderOfAsync(SchedulingPolicy policy, Action<int> prepare)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, Policy = policy });
        List<int> order = [];
        await scheduler.RunAsync(async () =>
        {
            var group = new WaitGroup();
            Channel<bool> start = Channel.Make<bool>();
            for (int i = 0; i < 5; i++)
            {
                int n = i;
                group.Go(async () =>
                {
                    prepare(n);
                    await start.ReceiveAsync();
                    order.Add(n);
                });
            }
            while (scheduler.Goroutines().Count(g => g.WaitReason == WaitReason.ChannelReceive) < 5)
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            start.Close(); // makes all ready, while this one runs on
            await group.WaitAsync();
        }).Within();
        Bounded.NoneLeft(scheduler);
        return order;
    }

    [Fact]
    public async Task A_policy_chooses_what_runs_next()
    {
        List<int> fifo = await OrderOfAsync(new LongSlicePolicy(), static _ => { });
        List<int> lifo = await OrderOfAsync(new StackPolicy(), static _ => { });
        Assert.Equal(Enumerable.Reverse(await RegistrationOrderAsync(new StackPolicy())), lifo);
        Assert.Equal(await RegistrationOrderAsync(new LongSlicePolicy()), fifo);
    }

    // The order in which they come to wait, which is that in which they are made ready.
    private static async Task<List<int>> RegistrationOrderAsync(SchedulingPolicy policy)
    {
        List<int> order = [];
        await OrderOfAsync(policy, order.Add);
        return order;
    }

    [Fact]
    public async Task Deadline_first_runs_the_most_urgent()
    {
        int[] urgency = [300, 100, -1, 200, 50]; // seconds; -1 for none, which is 400 s by the target latency
        List<int> order = await OrderOfAsync(new DeadlineFirstPolicy(TimeSpan.FromSeconds(400), s_longSlice), n =>
        {
            if (urgency[n] > 0)
                Go.SetDeadline(TimeSpan.FromSeconds(urgency[n]));
        });
        Assert.Equal([4, 1, 3, 0, 2], order);
    }

    [Fact]
    public async Task Without_deadlines_it_is_first_come_first_served()
    {
        Assert.Equal(await RegistrationOrderAsync(new DeadlineFirstPolicy(timeSlice: s_longSlice)), await OrderOfAsync(new DeadlineFirstPolicy(timeSlice: s_longSlice), static _ => { }));
    }

    [Fact]
    public async Task A_deadline_can_be_taken_back_and_ends_with_its_goroutine()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Go.SetDeadline(TimeSpan.FromSeconds(1));
            Assert.NotNull(Machine.OfThisThread!.Current!.Deadline);
            Go.SetDeadline(Timeout.InfiniteTimeSpan);
            Assert.Null(Machine.OfThisThread!.Current!.Deadline);
            for (int i = 0; i < 2000; i++) // more than the free list keeps: some are used again
            {
                Go.Spawn(() =>
                {
                    Assert.Null(Machine.OfThisThread!.Current!.Deadline);
                    Go.SetDeadline(TimeSpan.FromSeconds(1));
                });
                if (i % 10 == 0)
                    await Go.YieldAsync();
            }
        }).Within();
        Bounded.NoneLeft(scheduler);
        Assert.Throws<InvalidOperationException>(() => Go.SetDeadline(TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Any_policy_loses_nothing_under_stress(int processors)
    {
        foreach (SchedulingPolicy policy in new SchedulingPolicy[] { new StackPolicy(), new DeadlineFirstPolicy() })
        {
            using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = processors, Policy = policy });
            int done = 0;
            await Task.WhenAll(Enumerable.Range(0, 50).Select(n => scheduler.RunAsync(async () =>
            {
                for (int i = 0; i < 100; i++)
                {
                    await Task.Yield();
                    var child = Go.RunAsync(async () =>
                    {
                        await Go.YieldAsync();
                        Interlocked.Increment(ref done);
                    });
                    await child;
                }
            }))).WaitAsync(Bounded.StressLimit);
            Assert.Equal(5000, done);
            scheduler.MaxProcs = 3 - processors;
            await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
            Bounded.NoneLeft(scheduler);
        }
    }

    [Fact]
    public async Task The_time_slice_is_the_policys()
    {
        // With a slice without end nobody takes the processor of code that computes. Of a thread that waits for a collection to end it is taken.
        bool ranBeside;
        long taken;
        int attempt = 0;
        do
        {
            (ranBeside, taken) = await TryAsync();
        }
        while (ranBeside && taken > 0 && ++attempt < 10);
        Assert.False(ranBeside);

        static async Task<(bool RanBeside, long Taken)> TryAsync()
        {
            using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, Policy = new DeadlineFirstPolicy(timeSlice: s_longSlice) });
            bool stop = false;
            int spins = 0;
            Task spinner = scheduler.RunAsync(() =>
            {
                while (!Volatile.Read(ref stop))
                {
                    Thread.SpinWait(100);
                    Volatile.Write(ref spins, spins + 1);
                }
                return Task.CompletedTask;
            });
            Bounded.Until(() => Volatile.Read(ref spins) > 0, "it spins");
            Task other = scheduler.RunAsync(() => Task.CompletedTask);
            int before = Volatile.Read(ref spins);
            Bounded.Until(() => Volatile.Read(ref spins) > before + 50_000, "it has spun for long");
            bool ranBeside = other.IsCompleted;
            long taken = scheduler.GetStatistics().BlockedHandOffs;
            Volatile.Write(ref stop, true);
            await Task.WhenAll(spinner, other).Within();
            Bounded.NoneLeft(scheduler);
            return (ranBeside, taken);
        }
    }

    [Fact]
    public void Out_of_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new DeadlineFirstPolicy(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DeadlineFirstPolicy(timeSlice: TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromMilliseconds(10), SchedulingPolicy.Default.TimeSlice);
        new GoScheduler(new SchedulerOptions { MaxProcs = 1, Policy = new DeadlineFirstPolicy(TimeSpan.MaxValue, Timeout.InfiniteTimeSpan) }).Dispose();
    }
}
