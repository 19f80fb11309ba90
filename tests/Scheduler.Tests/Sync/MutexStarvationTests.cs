namespace NetGo.Scheduler.Tests.Sync;

/// <summary>The two modes of the mutex, on one processor and with a clock that stands still unless it is moved.</summary>
public sealed class MutexStarvationTests : IDisposable
{
    private readonly MovedClock _clock = new();
    private readonly GoScheduler _scheduler;
    private readonly GoMutex _mutex = new();

    public MutexStarvationTests() => _scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, TimeProvider = _clock, Policy = new Bounded.EndlessTimeSlice() });

    public void Dispose() => _scheduler.Dispose();

    [Fact]
    public Task Who_waits_for_over_a_millisecond_gets_it_from_one_that_never_lets_go_for_long() => Run(async () =>
    {
        bool got = false;
        await _mutex.LockAsync();
        Go.Spawn(async () =>
        {
            await _mutex.LockAsync();
            got = true;
            _mutex.Unlock();
        });
        int turns = 0;
        while (!got && turns < 1000)
        {
            await Go.YieldAsync();
            _clock.Move(microseconds: 100);
            _mutex.Unlock();
            await _mutex.LockAsync();
            turns++;
        }
        _mutex.Unlock();
        // 10 turns make a millisecond: in the one after that it is handed over.
        Assert.InRange(turns, 11, 13);
    });

    [Fact]
    public Task Before_that_a_running_goroutine_goes_first() => Run(async () =>
    {
        bool got = false;
        await _mutex.LockAsync();
        Go.Spawn(async () =>
        {
            await _mutex.LockAsync();
            got = true;
            _mutex.Unlock();
        });
        for (int i = 0; i < 100; i++)
        {
            await Go.YieldAsync();
            _mutex.Unlock();
            await _mutex.LockAsync();
            Assert.False(got);
        }
        _mutex.Unlock();
        await On.Until(() => got);
    });

    [Fact]
    public Task Newcomers_queue_while_someone_starves_and_who_has_not_waited_long_ends_that() => Run(async () =>
    {
        var order = new List<string>();
        var barged = new List<bool>();
        await _mutex.LockAsync();
        await Start("starves");
        await Starve();
        await Start("second");
        await Start("third");
        _mutex.Unlock();
        Assert.False(_mutex.TryLock());
        await On.Until(() => order.Count == 3);
        Assert.Equal(["starves", "second", "third"], order);
        Assert.Equal([false, true, true], barged); // handed over, then back in normal mode, then free
        Assert.True(_mutex.TryLock());

        async Task Start(string name)
        {
            Go.Spawn(async () =>
            {
                await _mutex.LockAsync();
                order.Add(name);
                _mutex.Unlock();
                barged.Add(_mutex.TryLock());
                if (barged[^1])
                    _mutex.Unlock();
            });
            await Go.YieldAsync();
        }
    });

    [Fact]
    public Task It_stays_handed_over_while_those_who_get_it_have_waited_long() => Run(async () =>
    {
        var order = new List<int>();
        var barged = new List<bool>();
        await _mutex.LockAsync();
        for (int i = 0; i < 4; i++)
        {
            int number = i;
            Go.Spawn(async () =>
            {
                await _mutex.LockAsync();
                order.Add(number);
                _mutex.Unlock();
                barged.Add(_mutex.TryLock());
                if (barged[^1])
                    _mutex.Unlock();
            });
            await Go.YieldAsync();
        }
        await Starve();
        _mutex.Unlock();
        await On.Until(() => order.Count == 4);
        Assert.Equal([0, 1, 2, 3], order);
        Assert.Equal([false, false, false, true], barged);
    });

    [Fact]
    public Task Normal_again_when_the_last_has_got_it() => Run(async () =>
    {
        bool? barged = null;
        bool last = false;
        await _mutex.LockAsync();
        Go.Spawn(async () =>
        {
            await _mutex.LockAsync(); // starves, alone
            Go.Spawn(async () =>
            {
                await _mutex.LockAsync();
                last = true;
                _mutex.Unlock();
            });
            await Go.YieldAsync(); // the other waits now
            _mutex.Unlock();
            barged = _mutex.TryLock();
            if (barged.Value)
                _mutex.Unlock();
        });
        await Go.YieldAsync();
        await Starve();
        _mutex.Unlock();
        await On.Until(() => last);
        Assert.True(barged);
    });

    [Fact]
    public Task Normal_again_when_the_last_that_starved_gives_up() => Run(async () =>
    {
        using var cancellation = new CancellationTokenSource();
        Task? starved = null;
        await _mutex.LockAsync();
        Go.Spawn(() => starved = _mutex.LockAsync(cancellation.Token).AsTask());
        await Go.YieldAsync();
        await Starve();
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starved!);
        Assert.False(_mutex.TryLock());
        _mutex.Unlock();
        Assert.True(_mutex.TryLock());
        _mutex.Unlock();
        Assert.Throws<SynchronizationLockException>(_mutex.Unlock);
    });

    [Fact]
    public Task One_that_is_cancelled_after_it_was_woken_and_has_lost_gives_up() => Run(async () =>
    {
        using var cancellation = new CancellationTokenSource();
        Task? first = null;
        bool second = false;
        await _mutex.LockAsync();
        Go.Spawn(() => first = _mutex.LockAsync(cancellation.Token).AsTask());
        await Go.YieldAsync();
        Go.Spawn(async () =>
        {
            await _mutex.LockAsync();
            second = true;
            _mutex.Unlock();
        });
        await Go.YieldAsync();
        _mutex.Unlock(); // wakes the first
        Assert.True(_mutex.TryLock());
        cancellation.Cancel();
        Assert.False(first!.IsCompleted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(second);
        _mutex.Unlock(); // must wake the second
        await On.Until(() => second);
    });

    // The goroutine has the mutex, and the first waiter waits: makes that wait long, wake and lose.
    private async Task Starve()
    {
        _clock.Move(microseconds: 2000);
        _mutex.Unlock();
        Assert.True(_mutex.TryLock());
        await Go.YieldAsync();
    }

    private Task Run(Func<Task> body) => _scheduler.RunAsync(body).Within();

    private sealed class MovedClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Move(int microseconds) => Interlocked.Add(ref _now, microseconds);
    }
}
