#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

namespace NetGo.Scheduler.Tests.Sync;

public class OnceValueTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task All_get_the_one_value(int processors) => On.Processors(processors, async () =>
    {
        int made = 0;
        var value = new OnceValue<string>(async () =>
        {
            await Go.YieldAsync();
            return $"value {Interlocked.Increment(ref made)}";
        });
        Assert.Equal(0, made);
        var group = new WaitGroup();
        int others = 0;
        for (int g = 0; g < 20; g++)
        {
            group.Go(async () =>
            {
                if (await value.GetAsync() != "value 1")
                    Interlocked.Increment(ref others);
            });
        }
        await group.WaitAsync();
        Assert.Equal(0, others);
        Assert.True(value.GetAsync().IsCompletedSuccessfully);
    });

    [Fact]
    public async Task An_exception_is_remembered_like_a_value()
    {
        int made = 0;
        var error = new ArithmeticException();
        var value = new OnceValue<int>(int () =>
        {
            made++;
            throw error;
        });
        for (int i = 0; i < 3; i++)
            Assert.Same(error, await Assert.ThrowsAsync<ArithmeticException>(async () => await value.GetAsync()));
        Assert.Equal(1, made);
    }

    [Fact]
    public async Task Who_waits_for_it_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var gate = new GoSemaphore(1);
        await gate.AcquireAsync();
        var value = new OnceValue<int>(async () =>
        {
            await gate.AcquireAsync();
            return 42;
        });
        Task<int> first = value.GetAsync(cancellation.Token).AsTask();
        Task<int> second = value.GetAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.Within());
        gate.Release();
        Assert.Equal(42, await first.Within());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await value.GetAsync(cancellation.Token));
        Assert.Equal(42, await value.GetAsync());
    }

    [Fact]
    public Task Who_always_gets_it_lets_others_run() => On.Processors(1, async () =>
    {
        var value = new OnceValue<int>(() => 1);
        bool ran = false;
        Go.Spawn(() => ran = true);
        for (int i = 0; i < 10_000 && !ran; i++)
            Assert.Equal(1, await value.GetAsync());
        Assert.True(ran);
    });
}
