#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

namespace NetGo.Scheduler.Tests.Sync;

public class CondTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    private readonly GoMutex _mutex = new();
    private readonly Cond _cond;

    public CondTests() => _cond = new Cond(_mutex);

    [Fact]
    public async Task Who_waits_has_unlocked_and_locks_again()
    {
        await _mutex.LockAsync();
        ValueTask wait = _cond.WaitAsync();
        Assert.True(_mutex.TryLock());
        _cond.Signal();
        Task signalled = wait.AsTask();
        Assert.False(signalled.IsCompleted);
        _mutex.Unlock();
        await signalled.Within();
        Assert.False(_mutex.TryLock());
        _mutex.Unlock();
    }

    [Fact]
    public async Task A_signal_between_the_unlock_and_the_await_counts()
    {
        await _mutex.LockAsync();
        ValueTask wait = _cond.WaitAsync();
        _cond.Signal();
        await wait.AsTask().Within();
        Assert.False(_mutex.TryLock());
    }

    [Fact]
    public async Task A_signal_before_the_wait_does_not_count()
    {
        using var cancellation = new CancellationTokenSource();
        _cond.Signal();
        _cond.Broadcast();
        await _mutex.LockAsync();
        Task wait = _cond.WaitAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.Within());
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_signal_is_for_who_waits_longest(int processors) => On.Processors(processors, async () =>
    {
        var order = new List<int>();
        var waiting = 0;
        var group = new WaitGroup();
        for (int i = 0; i < 5; i++)
        {
            int number = i;
            group.Go(async () =>
            {
                await _mutex.LockAsync();
                Interlocked.Increment(ref waiting);
                await _cond.WaitAsync();
                order.Add(number);
                _mutex.Unlock();
            });
            await WaitsNow(number + 1);
        }
        for (int i = 0; i < 5; i++)
        {
            _cond.Signal();
            await On.Until(() => Locked(() => order.Count) == i + 1);
        }
        await group.WaitAsync();
        Assert.Equal([0, 1, 2, 3, 4], order);

        async Task WaitsNow(int count)
        {
            await On.Until(() => Volatile.Read(ref waiting) == count);
            await _mutex.LockAsync();
            _mutex.Unlock();
        }
    });

    private int Locked(Func<int> read)
    {
        if (!_mutex.TryLock())
            return -1;
        int value = read();
        _mutex.Unlock();
        return value;
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_broadcast_is_for_all_who_wait(int processors) => On.Processors(processors, async () =>
    {
        bool open = false;
        int inside = 0;
        int overlaps = 0;
        var group = new WaitGroup();
        for (int i = 0; i < 20; i++)
        {
            group.Go(async () =>
            {
                await _mutex.LockAsync();
                while (!open)
                    await _cond.WaitAsync();
                if (Interlocked.Increment(ref inside) != 1)
                    Interlocked.Increment(ref overlaps);
                await Go.YieldAsync();
                Interlocked.Decrement(ref inside);
                _mutex.Unlock();
            });
        }
        await Go.YieldAsync();
        await _mutex.LockAsync();
        open = true;
        _cond.Broadcast();
        _mutex.Unlock();
        await group.WaitAsync();
        Assert.Equal(0, overlaps);
        Assert.True(_mutex.TryLock());
    });

    [Fact]
    public async Task Who_is_cancelled_has_the_mutex_again()
    {
        using var cancellation = new CancellationTokenSource();
        await _mutex.LockAsync();
        Task wait = _cond.WaitAsync(cancellation.Token).AsTask();
        Assert.True(_mutex.TryLock());
        await cancellation.CancelAsync();
        Assert.False(wait.IsCompleted);
        _mutex.Unlock();
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.Within());
        Assert.Equal(cancellation.Token, e.CancellationToken);
        Assert.False(_mutex.TryLock());
        Assert.True(_cond.WaitAsync(cancellation.Token).IsCanceled);
        Assert.False(_mutex.TryLock());
        _mutex.Unlock();
    }

    [Fact]
    public async Task A_signal_is_not_wasted_on_one_that_was_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        await _mutex.LockAsync();
        ValueTask cancelled = _cond.WaitAsync(cancellation.Token);
        await _mutex.LockAsync();
        ValueTask other = _cond.WaitAsync();
        await cancellation.CancelAsync();
        _cond.Signal();
        await other.AsTask().Within();
        _mutex.Unlock();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.AsTask().Within());
        _mutex.Unlock();
    }

    [Fact]
    public void Who_has_not_locked_cannot_wait()
    {
        Assert.Throws<SynchronizationLockException>(() => { _ = _cond.WaitAsync(); });
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_bounded_queue_loses_nothing_under_stress(int processors) => On.Processors(processors, async () =>
    {
        const int producers = 8;
        const int consumers = 8;
        const int each = 1000;
        var notFull = new Cond(_mutex);
        var queue = new Queue<int>();
        long sum = 0;
        var group = new WaitGroup();
        for (int i = 0; i < producers; i++)
        {
            group.Go(async () =>
            {
                for (int n = 1; n <= each; n++)
                {
                    await _mutex.LockAsync();
                    while (queue.Count == 3)
                        await notFull.WaitAsync();
                    queue.Enqueue(n);
                    _cond.Signal();
                    _mutex.Unlock();
                }
            });
        }
        for (int i = 0; i < consumers; i++)
        {
            group.Go(async () =>
            {
                for (int n = 0; n < each * producers / consumers; n++)
                {
                    await _mutex.LockAsync();
                    while (queue.Count == 0)
                        await _cond.WaitAsync();
                    sum += queue.Dequeue();
                    _mutex.Unlock();
                    notFull.Signal();
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(producers * (each * (each + 1L) / 2), sum);
    });
}
