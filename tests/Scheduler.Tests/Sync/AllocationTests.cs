namespace NetGo.Scheduler.Tests.Sync;

// What the process allocates is measured, so nothing else may run meanwhile.
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    private const int Rounds = 20_000;

    // Bytes for each round, after as many of them for what is made once.
    private static async Task<double> AllocatedPerRoundAsync(Func<int, Task> run, int rounds = Rounds)
    {
        await run(rounds);
        return await Allocated.LeastAsync(() => run(rounds), enough: rounds) / (double)rounds;
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Channel_waits_allocate_nothing(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> there = Channel.Make<int>();
        Channel<int> back = Channel.Make<int>();
        Go.Spawn(async () =>
        {
            while (await there.ReceiveAsync() is (var value, true))
                await back.SendAsync(value);
        });
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            for (int i = 0; i < rounds; i++)
            {
                await there.SendAsync(i);
                await back.ReceiveAsync();
            }
        });
        there.Close();
        Assert.InRange(allocated, 0, 8);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Select_waits_allocate_nothing(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        var select = new Select();
        select.Receive(a);
        select.Receive(b);
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            Go.Spawn(async () =>
            {
                for (int i = 0; i < rounds; i++)
                    await (i % 2 == 0 ? a : b).SendAsync(i);
            });
            for (int i = 0; i < rounds; i++)
                await select.WaitAsync();
        });
        Assert.InRange(allocated, 0, 8);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Mutex_waits_allocate_nothing(int processors) => On.Processors(processors, async () =>
    {
        const int goroutines = 8;
        var mutex = new GoMutex();
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            var group = new WaitGroup();
            for (int g = 0; g < goroutines; g++)
            {
                group.Go(async () =>
                {
                    for (int i = 0; i < rounds / goroutines; i++)
                    {
                        await mutex.LockAsync();
                        await Go.YieldAsync(); // the others find it locked
                        mutex.Unlock();
                    }
                });
            }
            await group.WaitAsync();
        });
        Assert.InRange(allocated, 0, 8);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Waits_that_can_be_cancelled_allocate_nothing(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> there = Channel.Make<int>();
        Channel<int> back = Channel.Make<int>();
        using var cancellation = new CancellationTokenSource();
        CancellationToken token = cancellation.Token;
        Go.Spawn(async () =>
        {
            var select = new Select();
            ReceiveCase<int> receive = select.Receive(there);
            while (await select.WaitAsync(TimeSpan.FromHours(1), token) == receive.Index && receive.Ok)
                await back.SendAsync(receive.Value, token);
        });
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            for (int i = 0; i < rounds; i++)
            {
                await there.SendAsync(i, token);
                await back.ReceiveAsync(token);
            }
        });
        there.Close();
        Assert.InRange(allocated, 0, 8);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_loop_over_a_channel_allocates_one_object(int processors) => On.Processors(processors, async () =>
    {
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            Channel<int> channel = Channel.Make<int>();
            Go.Spawn(async () =>
            {
                for (int i = 0; i < rounds; i++)
                    await channel.SendAsync(i);
                channel.Close();
            });
            await foreach (int _ in channel.ReceiveAllAsync())
            {
            }
        });
        Assert.InRange(allocated, 0, 8);
    });

    // What a million goroutines that wait cost a million times.
    [Fact]
    public void A_channel_and_who_waits_on_it_are_small()
    {
        Assert.InRange(SizeOf(() => Channel.Make<int>()), 1, 80);
        Assert.InRange(SizeOf(() => new ChannelOperation<int>()), 1, 48);
        Assert.InRange(SizeOf(() => new ChannelOperation<object>()), 1, 56);
    }

    private static long SizeOf(Func<object> make)
    {
        make();
        long before = GC.GetAllocatedBytesForCurrentThread();
        object made = make();
        long size = GC.GetAllocatedBytesForCurrentThread() - before;
        GC.KeepAlive(made);
        return size;
    }

    [Fact]
    public Task What_need_not_wait_allocates_nothing() => On.Processors(1, async () =>
    {
        var mutex = new GoMutex();
        var readWrite = new RWMutex();
        var semaphore = new GoSemaphore(1);
        var once = new OnceValue<int>(() => 1);
        var group = new WaitGroup();
        var pool = new Pool<object>(() => new object());
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            for (int i = 0; i < rounds; i++)
            {
                using (await mutex.LockScopeAsync())
                    await readWrite.RLockAsync();
                readWrite.RUnlock();
                await mutex.LockAsync();
                await readWrite.LockAsync();
                await semaphore.AcquireAsync();
                await once.GetAsync();
                await group.WaitAsync();
                pool.Put(pool.Get());
                semaphore.Release();
                readWrite.Unlock();
                mutex.Unlock();
            }
        });
        Assert.InRange(allocated, 0, 8);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Waits_for_semaphores_locks_and_signals_allocate_nothing(int processors) => On.Processors(processors, async () =>
    {
        var there = new GoSemaphore(1);
        var back = new GoSemaphore(1);
        var readWrite = new RWMutex();
        var cond = new Cond(new GoMutex());
        bool stop = false;
        Assert.True(there.TryAcquire() && back.TryAcquire());
        Go.Spawn(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                await there.AcquireAsync();
                await readWrite.LockAsync();
                back.Release();
                await Go.YieldAsync(); // the other finds it locked
                readWrite.Unlock();
            }
        });
        Go.Spawn(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                cond.Signal();
                await Go.YieldAsync();
            }
        });
        double allocated = await AllocatedPerRoundAsync(async rounds =>
        {
            for (int i = 0; i < rounds; i++)
            {
                there.Release();
                await back.AcquireAsync();
                await readWrite.RLockAsync();
                readWrite.RUnlock();
                await cond.Mutex.LockAsync();
                await cond.WaitAsync();
                cond.Mutex.Unlock();
            }
        }, rounds: Rounds / 2);
        Volatile.Write(ref stop, true);
        there.Release();
        // A waiter goes to the free list of the thread that took its result, which may be another's than it came from: a thread
        // whose list is empty makes one now and then. Three for each round would be 300 bytes.
        Assert.InRange(allocated, 0, 32);
    });
}
