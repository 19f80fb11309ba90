#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

namespace NetGo.Scheduler.Tests.Sync;

// A wait begins with the call, and is over as soon as the mutex is handed over: so most of this needs no goroutine.
public class RWMutexTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    private readonly RWMutex _mutex = new();

    [Fact]
    public void Readers_share_it_and_a_writer_has_it_alone()
    {
        Assert.True(_mutex.TryRLock());
        Assert.True(_mutex.RLockAsync().IsCompletedSuccessfully);
        Assert.False(_mutex.TryLock());
        _mutex.RUnlock();
        Assert.False(_mutex.TryLock());
        _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
        Assert.False(_mutex.TryLock());
        Assert.False(_mutex.TryRLock());
        _mutex.Unlock();
        Assert.True(_mutex.LockAsync().IsCompletedSuccessfully);
        Assert.False(_mutex.TryRLock());
        _mutex.Unlock();
        Assert.True(_mutex.TryRLock());
    }

    [Fact]
    public void Unlocking_what_is_not_locked_throws()
    {
        Assert.Throws<SynchronizationLockException>(_mutex.Unlock);
        Assert.Throws<SynchronizationLockException>(_mutex.RUnlock);
        Assert.True(_mutex.TryRLock());
        Assert.Throws<SynchronizationLockException>(_mutex.Unlock);
        _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
        Assert.Throws<SynchronizationLockException>(_mutex.RUnlock);
        ValueTask reader = _mutex.RLockAsync();
        Assert.Throws<SynchronizationLockException>(_mutex.RUnlock);
        _mutex.Unlock();
        Assert.True(reader.IsCompletedSuccessfully);
        Assert.Throws<SynchronizationLockException>(_mutex.Unlock);
        _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
    }

    [Fact]
    public async Task A_writer_that_waits_keeps_new_readers_out()
    {
        Assert.True(_mutex.TryRLock());
        ValueTask writer = _mutex.LockAsync();
        Assert.False(writer.IsCompleted);
        Assert.False(_mutex.TryRLock());
        ValueTask reader = _mutex.RLockAsync();
        Assert.False(reader.IsCompleted);
        _mutex.RUnlock();
        await writer;
        Assert.False(reader.IsCompleted);
        _mutex.Unlock();
        await reader;
        _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
    }

    [Fact]
    public async Task Readers_that_waited_for_a_writer_come_before_the_next_writer()
    {
        Assert.True(_mutex.TryLock());
        ValueTask writer = _mutex.LockAsync();
        ValueTask reader1 = _mutex.RLockAsync();
        ValueTask reader2 = _mutex.RLockAsync();
        _mutex.Unlock();
        Assert.False(writer.IsCompleted);
        await reader1;
        await reader2;
        ValueTask late = _mutex.RLockAsync();
        Assert.False(late.IsCompleted);
        _mutex.RUnlock();
        Assert.False(writer.IsCompleted);
        _mutex.RUnlock();
        await writer;
        Assert.False(late.IsCompleted);
        _mutex.Unlock();
        await late;
    }

    [Fact]
    public async Task Writers_come_in_their_order_and_nobody_between()
    {
        Assert.True(_mutex.TryLock());
        ValueTask first = _mutex.LockAsync();
        ValueTask second = _mutex.LockAsync();
        _mutex.Unlock();
        Assert.False(_mutex.TryLock());
        await first;
        Assert.False(second.IsCompleted);
        _mutex.Unlock();
        await second;
        _mutex.Unlock();
        Assert.True(_mutex.TryLock());
    }

    [Fact]
    public async Task When_the_last_writer_that_waits_is_cancelled_the_readers_behind_it_go_on()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.True(_mutex.TryRLock());
        ValueTask writer = _mutex.LockAsync(cancellation.Token);
        ValueTask reader = _mutex.RLockAsync();
        await cancellation.CancelAsync();
        Assert.True(writer.IsCanceled);
        await reader;
        Assert.True(_mutex.TryRLock());
        for (int i = 0; i < 3; i++)
            _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await writer);
        Assert.Equal(cancellation.Token, e.CancellationToken);
    }

    [Fact]
    public async Task While_another_writer_waits_they_do_not()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.True(_mutex.TryRLock());
        ValueTask cancelled = _mutex.LockAsync(cancellation.Token);
        ValueTask writer = _mutex.LockAsync();
        ValueTask reader = _mutex.RLockAsync();
        await cancellation.CancelAsync();
        Assert.True(cancelled.IsCanceled);
        Assert.False(reader.IsCompleted);
        _mutex.RUnlock();
        await writer;
        _mutex.Unlock();
        await reader;
    }

    [Fact]
    public async Task While_a_writer_has_it_a_cancellation_lets_nobody_in()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.True(_mutex.TryLock());
        ValueTask writer = _mutex.LockAsync(cancellation.Token);
        ValueTask cancelledReader = _mutex.RLockAsync(cancellation.Token);
        ValueTask reader = _mutex.RLockAsync();
        await cancellation.CancelAsync();
        Assert.True(writer.IsCanceled);
        Assert.True(cancelledReader.IsCanceled);
        Assert.False(reader.IsCompleted);
        _mutex.Unlock();
        await reader;
        _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
    }

    [Fact]
    public async Task After_all_who_waited_were_cancelled_it_is_as_before()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.True(_mutex.TryLock());
        ValueTask reader = _mutex.RLockAsync(cancellation.Token);
        ValueTask writer = _mutex.LockAsync(cancellation.Token);
        await cancellation.CancelAsync();
        Assert.True(reader.IsCanceled);
        Assert.True(writer.IsCanceled);
        _mutex.Unlock();
        Assert.True(_mutex.TryRLock());
        _mutex.RUnlock();
        Assert.True(_mutex.TryLock());
    }

    [Fact]
    public void A_cancelled_token_locks_nothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.True(_mutex.LockAsync(cancelled).IsCanceled);
        Assert.True(_mutex.RLockAsync(cancelled).IsCanceled);
        Assert.True(_mutex.TryLock());
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Readers_never_meet_a_writer_under_stress(int processors) => On.Processors(processors, async () =>
    {
        const int goroutines = 32;
        const int each = 500;
        int readers = 0;
        int writers = 0;
        int meetings = 0;
        var group = new WaitGroup();
        for (int g = 0; g < goroutines; g++)
        {
            int number = g;
            group.Go(async () =>
            {
                var random = new Random(number);
                for (int i = 0; i < each; i++)
                {
                    using var cancellation = new CancellationTokenSource();
                    bool writes = random.Next(4) == 0;
                    ValueTask wait = writes ? _mutex.LockAsync(cancellation.Token) : _mutex.RLockAsync(cancellation.Token);
                    if (random.Next(4) == 0)
                        cancellation.Cancel();
                    try
                    {
                        await wait;
                    }
                    catch (OperationCanceledException)
                    {
                        continue;
                    }
                    if (writes)
                    {
                        if (Interlocked.Increment(ref writers) != 1 || Volatile.Read(ref readers) != 0)
                            Interlocked.Increment(ref meetings);
                    }
                    else
                    {
                        Interlocked.Increment(ref readers);
                        if (Volatile.Read(ref writers) != 0)
                            Interlocked.Increment(ref meetings);
                    }
                    if (random.Next(4) == 0)
                        await Go.YieldAsync();
                    if (writes)
                    {
                        Interlocked.Decrement(ref writers);
                        _mutex.Unlock();
                    }
                    else
                    {
                        Interlocked.Decrement(ref readers);
                        _mutex.RUnlock();
                    }
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(0, meetings);
        Assert.True(_mutex.TryLock());
    });

    [Fact]
    public async Task Threads_that_run_no_goroutine_can_use_it()
    {
        int count = 0;
        async Task Use()
        {
            for (int i = 0; i < 2000; i++)
            {
                await _mutex.RLockAsync();
                _mutex.RUnlock();
                await _mutex.LockAsync();
                count++;
                _mutex.Unlock();
            }
        }

        await Task.WhenAll(Task.Run(Use), Task.Run(Use), Go.RunAsync(Use)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(6000, count);
    }

    [Fact]
    public Task Who_always_gets_it_lets_others_run() => On.Processors(1, async () =>
    {
        bool ran = false;
        Go.Spawn(() => ran = true);
        for (int i = 0; i < 10_000 && !ran; i++)
        {
            await _mutex.RLockAsync();
            _mutex.RUnlock();
        }
        Assert.True(ran);
    });
}
