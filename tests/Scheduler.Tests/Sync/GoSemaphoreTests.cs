#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

namespace NetGo.Scheduler.Tests.Sync;

// A wait begins with the call, and is over as soon as its units are taken: so most of this needs no goroutine.
public class GoSemaphoreTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Fact]
    public async Task Gives_out_no_more_than_there_is()
    {
        var semaphore = new GoSemaphore(3);
        Assert.Equal(3, semaphore.Size);
        await semaphore.AcquireAsync(2);
        Assert.Equal(1, semaphore.Available);
        Assert.False(semaphore.TryAcquire(2));
        Assert.True(semaphore.TryAcquire());
        ValueTask waiting = semaphore.AcquireAsync();
        Assert.False(waiting.IsCompleted);
        semaphore.Release(2);
        await waiting;
        Assert.Equal(1, semaphore.Available);
        semaphore.Release(2);
        Assert.Equal(3, semaphore.Available);
    }

    [Fact]
    public async Task A_large_one_is_not_overtaken_by_small_ones()
    {
        var semaphore = new GoSemaphore(3);
        await semaphore.AcquireAsync(2);
        ValueTask large = semaphore.AcquireAsync(3);
        ValueTask small1 = semaphore.AcquireAsync(1);
        ValueTask small2 = semaphore.AcquireAsync(1);
        Assert.False(semaphore.TryAcquire(1)); // one is free, and reserved
        semaphore.Release(1);
        Assert.False(large.IsCompleted);
        Assert.False(small1.IsCompleted);
        semaphore.Release(1);
        await large;
        Assert.False(small1.IsCompleted);
        semaphore.Release(3);
        await small1;
        await small2;
        Assert.Equal(1, semaphore.Available);
    }

    [Fact]
    public async Task Who_waits_behind_one_that_is_cancelled_is_served()
    {
        using var cancellation = new CancellationTokenSource();
        var semaphore = new GoSemaphore(3);
        await semaphore.AcquireAsync(2);
        ValueTask large = semaphore.AcquireAsync(3, cancellation.Token);
        ValueTask small = semaphore.AcquireAsync(1);
        Assert.False(small.IsCompleted);
        await cancellation.CancelAsync();
        Assert.True(large.IsCanceled);
        await small;
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await large);
        Assert.Equal(cancellation.Token, e.CancellationToken);
        semaphore.Release(3);
        Assert.Equal(3, semaphore.Available);
    }

    [Fact]
    public async Task A_cancellation_that_comes_too_late_changes_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        var semaphore = new GoSemaphore(1);
        await semaphore.AcquireAsync();
        ValueTask waiting = semaphore.AcquireAsync(1, cancellation.Token);
        semaphore.Release();
        await cancellation.CancelAsync();
        await waiting;
        Assert.Equal(0, semaphore.Available);
    }

    [Fact]
    public void More_than_was_taken_cannot_be_released()
    {
        var semaphore = new GoSemaphore(2);
        Assert.Throws<SemaphoreFullException>(() => semaphore.Release());
        Assert.True(semaphore.TryAcquire());
        Assert.Throws<SemaphoreFullException>(() => semaphore.Release(2));
        Assert.Throws<SemaphoreFullException>(() => semaphore.Release(long.MaxValue));
        Assert.Equal(1, semaphore.Available);
    }

    [Fact]
    public void Numbers_that_make_no_sense_are_refused()
    {
        var semaphore = new GoSemaphore(2);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoSemaphore(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = semaphore.AcquireAsync(3); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = semaphore.AcquireAsync(-1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => semaphore.TryAcquire(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => semaphore.Release(-1));
        Assert.False(semaphore.TryAcquire(3));
        Assert.True(semaphore.AcquireAsync(1, new CancellationToken(canceled: true)).IsCanceled);
        Assert.Equal(2, semaphore.Available);
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Never_more_inside_than_units_under_stress(int processors) => On.Processors(processors, async () =>
    {
        const int size = 10;
        var semaphore = new GoSemaphore(size);
        long inside = 0;
        int tooMany = 0;
        var group = new WaitGroup();
        for (int g = 0; g < 32; g++)
        {
            int number = g;
            group.Go(async () =>
            {
                var random = new Random(number);
                for (int i = 0; i < 500; i++)
                {
                    using var cancellation = new CancellationTokenSource();
                    int n = random.Next(1, size + 1);
                    ValueTask wait = semaphore.AcquireAsync(n, cancellation.Token);
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
                    if (Interlocked.Add(ref inside, n) > size)
                        Interlocked.Increment(ref tooMany);
                    if (random.Next(2) == 0)
                        await Go.YieldAsync();
                    Interlocked.Add(ref inside, -n);
                    semaphore.Release(n);
                }
            });
        }
        await group.WaitAsync();
        Assert.Equal(0, tooMany);
        Assert.Equal(size, semaphore.Available);
    });

    [Fact]
    public Task Who_always_gets_it_lets_others_run() => On.OneProcessorWithoutTimeSlices(async () =>
    {
        var semaphore = new GoSemaphore(1);
        bool ran = false;
        Go.Spawn(() => ran = true);
        for (int i = 0; i < 1_000_000 && !ran; i++)
        {
            await semaphore.AcquireAsync();
            semaphore.Release();
        }
        Assert.True(ran);
    });
}
