#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

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

    [Fact]
    public void A_cancelled_token_locks_nothing()
    {
        var mutex = new GoMutex();
        ValueTask locking = mutex.LockAsync(new CancellationToken(canceled: true));
        Assert.True(locking.IsCanceled);
        Assert.True(mutex.LockScopeAsync(new CancellationToken(canceled: true)).IsCanceled);
        Assert.True(mutex.TryLock());
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_wait_can_be_cancelled(int processors) => On.Processors(processors, async () =>
    {
        var mutex = new GoMutex();
        using var cancellation = new CancellationTokenSource();
        await mutex.LockAsync();
        Task cancelled = mutex.LockAsync(cancellation.Token).AsTask();
        Task other = mutex.LockAsync().AsTask();
        await cancellation.CancelAsync();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(cancellation.Token, e.CancellationToken);
        Assert.True(cancelled.IsCanceled);
        Assert.False(mutex.TryLock());
        Assert.False(other.IsCompleted);
        mutex.Unlock();
        await other;
        mutex.Unlock();
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Cancellations_lose_no_unlock(int processors) => On.Processors(processors, async () =>
    {
        const int goroutines = 16;
        const int each = 500;
        var mutex = new GoMutex();
        int inside = 0;
        int overlaps = 0;
        var group = new WaitGroup();
        for (int g = 0; g < goroutines; g++)
        {
            int number = g;
            group.Go(async () =>
            {
                for (int i = 0; i < each; i++)
                {
                    using var cancellation = new CancellationTokenSource();
                    bool cancels = (i + number) % 3 == 0;
                    if (cancels)
                    {
                        Go.Spawn(async () =>
                        {
                            await Go.YieldAsync();
                            cancellation.Cancel();
                        });
                    }
                    try
                    {
                        await mutex.LockAsync(cancels ? cancellation.Token : default);
                    }
                    catch (OperationCanceledException)
                    {
                        continue;
                    }
                    if (Interlocked.Increment(ref inside) != 1)
                        Interlocked.Increment(ref overlaps);
                    await Go.YieldAsync();
                    Interlocked.Decrement(ref inside);
                    mutex.Unlock();
                    if (cancels)
                        await On.Until(() => cancellation.IsCancellationRequested); // before it is disposed of
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(0, overlaps);
        Assert.True(mutex.TryLock());
    });

    [Fact]
    public Task Who_always_gets_it_lets_others_run_without_holding_it() => On.OneProcessorWithoutTimeSlices(async () =>
    {
        var mutex = new GoMutex();
        bool? wasFree = null;
        Go.Spawn(() =>
        {
            wasFree = mutex.TryLock();
            if (wasFree.Value)
                mutex.Unlock();
        });
        for (int i = 0; i < 10_000 && wasFree is null; i++)
        {
            await mutex.LockAsync();
            mutex.Unlock();
        }
        Assert.True(wasFree);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_scope_unlocks_at_its_end(int processors) => On.Processors(processors, async () =>
    {
        var mutex = new GoMutex();
        int count = 0;
        var group = new WaitGroup();
        for (int g = 0; g < 8; g++)
        {
            group.Go(async () =>
            {
                for (int i = 0; i < 1000; i++)
                {
                    using (await mutex.LockScopeAsync())
                    {
                        int before = count;
                        if (i % 8 == 0)
                            await Go.YieldAsync();
                        count = before + 1;
                    }
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(8000, count);
        Assert.True(mutex.TryLock());
    });

    [Fact]
    public async Task Its_result_can_be_taken_once()
    {
        var mutex = new GoMutex();
        await mutex.LockAsync();
        ValueTask waiting = mutex.LockAsync();
        Assert.Throws<InvalidOperationException>(() => waiting.GetAwaiter().GetResult());
        Task locked = waiting.AsTask();
        Assert.Throws<InvalidOperationException>(() => { _ = waiting.AsTask(); });
        mutex.Unlock();
        await locked.Within();
        Assert.Throws<InvalidOperationException>(() => { _ = waiting.IsCompleted; });
    }
}
