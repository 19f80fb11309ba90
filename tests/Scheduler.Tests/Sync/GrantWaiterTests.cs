#pragma warning disable CA2012 // looks at ValueTasks before they are awaited, and awaits them twice: that is the question

namespace NetGo.Scheduler.Tests.Sync;

/// <summary>What the waits for all that is granted have in common, shown by the semaphore's.</summary>
public class GrantWaiterTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    private readonly GoSemaphore _semaphore = new(1);

    public GrantWaiterTests() => Assert.True(_semaphore.TryAcquire());

    [Fact]
    public async Task Its_result_can_be_taken_once()
    {
        ValueTask waiting = _semaphore.AcquireAsync();
        Assert.Throws<InvalidOperationException>(() => waiting.GetAwaiter().GetResult());
        Task taken = waiting.AsTask();
        Assert.Throws<InvalidOperationException>(() => { _ = waiting.AsTask(); });
        _semaphore.Release();
        await taken.Within();
        Assert.Throws<InvalidOperationException>(() => { _ = waiting.IsCompleted; });
    }

    [Fact]
    public async Task A_cancelled_wait_that_becomes_a_task_is_a_cancelled_task()
    {
        using var cancellation = new CancellationTokenSource();
        Task before = _semaphore.AcquireAsync(1, cancellation.Token).AsTask();
        ValueTask after = _semaphore.AcquireAsync(1, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => before.Within());
        Assert.True(before.IsCanceled);
        Assert.True(after.AsTask().IsCanceled);
    }

    [Fact]
    public async Task One_that_was_cancelled_is_not_used_again_by_what_cancelled_it()
    {
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        ValueTask cancelled = _semaphore.AcquireAsync(1, first.Token);
        first.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cancelled);
        ValueTask granted = _semaphore.AcquireAsync(1, second.Token);
        _semaphore.Release();
        await granted;
        ValueTask other = _semaphore.AcquireAsync();
        second.Cancel(); // the token of a wait that is over, which may be the same object
        Assert.False(other.IsCompleted);
        _semaphore.Release();
        await other;
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_grant_meets_the_await_and_the_cancellation_under_stress(int processors) => On.Processors(processors, async () =>
    {
        int granted = 0;
        int cancelled = 0;
        for (int i = 0; i < 3000; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var group = new WaitGroup();
            ValueTask wait = _semaphore.AcquireAsync(1, cancellation.Token);
            group.Go(() => _semaphore.Release());
            if (i % 2 == 0)
                group.Go(cancellation.Cancel);
            try
            {
                await wait;
                granted++;
                await group.WaitAsync();
            }
            catch (OperationCanceledException)
            {
                cancelled++;
                await group.WaitAsync();
                Assert.True(_semaphore.TryAcquire());
            }
            Assert.Equal(0, _semaphore.Available);
        }
        Assert.Equal(3000, granted + cancelled);
        Assert.True(granted >= 1500);
    });
}
