#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

namespace NetGo.Scheduler.Tests.Sync;

public class WaitGroupTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Fact]
    public void Counter_cannot_become_negative()
    {
        var group = new WaitGroup();
        Assert.Throws<InvalidOperationException>(group.Done);
        group.Add(1);
        Assert.Throws<InvalidOperationException>(() => group.Add(-2));
        group.Done();
        ValueTask wait = group.WaitAsync();
        Assert.True(wait.IsCompleted);
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Everyone_waits_for_the_last(int processors) => On.Processors(processors, async () =>
    {
        for (int round = 0; round < 200; round++)
        {
            const int workers = 10;
            const int waiters = 5;
            var work = new WaitGroup();
            var waiting = new WaitGroup();
            int done = 0;
            int early = 0;
            work.Add(workers);
            for (int i = 0; i < waiters; i++)
            {
                waiting.Go(async () =>
                {
                    await work.WaitAsync();
                    if (Volatile.Read(ref done) != workers)
                        Interlocked.Increment(ref early);
                });
            }
            for (int i = 0; i < workers; i++)
            {
                bool yields = i % 2 == 0;
                Go.Spawn(async () =>
                {
                    if (yields)
                        await Go.YieldAsync();
                    Interlocked.Increment(ref done);
                    work.Done();
                });
            }
            await waiting.WaitAsync();
            Assert.Equal(0, early);
        }
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Can_be_used_again(int processors) => On.Processors(processors, async () =>
    {
        var group = new WaitGroup();
        int sum = 0;
        for (int round = 1; round <= 1000; round++)
        {
            group.Go(async () =>
            {
                await Go.YieldAsync();
                Interlocked.Increment(ref sum);
            });
            group.Go(() =>
            {
                Interlocked.Increment(ref sum);
                return Task.CompletedTask;
            });
            await group.WaitAsync();
            Assert.Equal(2 * round, Volatile.Read(ref sum));
        }
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_body_that_throws_is_done_too(int processors) => On.Processors(processors, async () =>
    {
        int reported = 0;
        GoScheduler.Current.UnhandledException += (_, e) =>
        {
            Assert.Contains(nameof(WaitGroupTests), e.Message, StringComparison.Ordinal); // spawned here, not in WaitGroup
            Interlocked.Increment(ref reported);
        };
        var group = new WaitGroup();
        group.Go(() => throw new ArithmeticException());
        await group.WaitAsync();
        await On.Until(() => Volatile.Read(ref reported) == 1);
    });

    [Fact]
    public void A_counter_that_would_become_negative_is_unchanged()
    {
        var group = new WaitGroup();
        group.Add(2);
        ValueTask wait = group.WaitAsync();
        Assert.Throws<InvalidOperationException>(() => group.Add(-3));
        Assert.False(wait.IsCompleted);
        group.Add(-2);
        Assert.True(wait.IsCompletedSuccessfully);
    }

    [Fact]
    public void Who_waits_is_released_though_the_group_is_used_again_at_once()
    {
        var group = new WaitGroup();
        group.Add(1);
        ValueTask first = group.WaitAsync();
        group.Done();
        group.Add(1);
        ValueTask second = group.WaitAsync();
        Assert.True(first.IsCompletedSuccessfully);
        Assert.False(second.IsCompleted);
        group.Done();
        Assert.True(second.IsCompletedSuccessfully);
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_synchronous_body_is_waited_for(int processors) => On.Processors(processors, async () =>
    {
        var group = new WaitGroup();
        int count = 0;
        for (int i = 0; i < 100; i++)
            group.Go(() => { Interlocked.Increment(ref count); });
        await group.WaitAsync();
        Assert.Equal(100, count);
    });

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var group = new WaitGroup();
        group.Add(1);
        ValueTask cancelled = group.WaitAsync(cancellation.Token);
        Task parked = group.WaitAsync(cancellation.Token).AsTask();
        ValueTask other = group.WaitAsync();
        await cancellation.CancelAsync();
        Assert.True(cancelled.IsCanceled);
        OperationCanceledException e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parked.Within());
        Assert.Equal(cancellation.Token, e.CancellationToken);
        Assert.False(other.IsCompleted);
        group.Done();
        await other;
        Assert.True(group.WaitAsync(cancellation.Token).IsCanceled);
    }

    [Fact]
    public Task Who_never_has_to_wait_lets_others_run() => On.OneProcessorWithoutTimeSlices(async () =>
    {
        var group = new WaitGroup();
        bool ran = false;
        Go.Spawn(() => ran = true);
        for (int i = 0; i < 1_000_000 && !ran; i++)
            await group.WaitAsync();
        Assert.True(ran);
    });
}
