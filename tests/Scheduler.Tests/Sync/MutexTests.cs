namespace NetGo.Scheduler.Tests.Sync;

public class MutexTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Fact]
    public void Unlock_of_an_unlocked_one_throws()
    {
        var mutex = new GoMutex();
        Assert.Throws<SynchronizationLockException>(mutex.Unlock);
        Assert.True(mutex.TryLock());
        Assert.False(mutex.TryLock());
        mutex.Unlock();
        Assert.Throws<SynchronizationLockException>(mutex.Unlock);
        Assert.True(mutex.TryLock());
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Another_waits_until_it_is_unlocked(int processors) => On.Processors(processors, async () =>
    {
        var mutex = new GoMutex();
        await mutex.LockAsync();
        bool entered = false;
        var group = new WaitGroup();
        group.Go(async () =>
        {
            await mutex.LockAsync();
            Volatile.Write(ref entered, true);
            mutex.Unlock();
        });
        for (int i = 0; i < 100; i++)
        {
            await Go.YieldAsync();
            Assert.False(Volatile.Read(ref entered));
        }
        mutex.Unlock();
        await group.WaitAsync();
        Assert.True(entered);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task One_at_a_time_under_stress(int processors) => On.Processors(processors, async () =>
    {
        const int goroutines = 64;
        const int each = 2000;
        var mutex = new GoMutex();
        int inside = 0;
        int overlaps = 0;
        long count = 0;
        var group = new WaitGroup();
        for (int g = 0; g < goroutines; g++)
        {
            int kind = g;
            group.Go(async () =>
            {
                for (int i = 0; i < each; i++)
                {
                    await mutex.LockAsync();
                    if (Interlocked.Increment(ref inside) != 1)
                        Interlocked.Increment(ref overlaps);
                    count++;
                    if (i % 16 == kind % 16)
                        await Go.YieldAsync(); // others find it locked
                    Interlocked.Decrement(ref inside);
                    mutex.Unlock();
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(0, overlaps);
        Assert.Equal(goroutines * each, count);
        Assert.True(mutex.TryLock());
    });

    [Fact]
    public async Task Threads_that_run_no_goroutine_can_use_it()
    {
        const int each = 5000;
        var mutex = new GoMutex();
        int count = 0;
        async Task Add()
        {
            for (int i = 0; i < each; i++)
            {
                await mutex.LockAsync();
                int before = count;
                if (i % 64 == 0)
                    await Task.Yield();
                count = before + 1;
                mutex.Unlock();
            }
        }

        Task[] tasks = [Task.Run(Add), Task.Run(Add), Go.RunAsync(Add), Go.RunAsync(Add)];
        await Task.WhenAll(tasks).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(tasks.Length * each, count);
    }
}
