#pragma warning disable CA2012 // looks at ValueTasks before they are awaited: whether they wait is the question

namespace NetGo.Scheduler.Tests.Sync;

public class OnceTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    private readonly Once _once = new();

    [Fact]
    public async Task Only_the_first_function_runs()
    {
        string ran = "";
        Assert.False(_once.IsDone);
        await _once.DoAsync(() => ran += "1");
        Assert.True(_once.IsDone);
        await _once.DoAsync(() => ran += "2");
        await _once.DoAsync(async () =>
        {
            await Task.Yield();
            ran += "3";
        });
        Assert.Equal("1", ran);
    }

    [Fact]
    public async Task The_others_wait_until_the_function_has_ended()
    {
        var gate = new GoSemaphore(1);
        await gate.AcquireAsync();
        ValueTask first = _once.DoAsync(async () => await gate.AcquireAsync());
        ValueTask second = _once.DoAsync(() => Assert.Fail("ran twice"));
        ValueTask third = _once.DoAsync(() => Task.FromException(new InvalidOperationException("ran twice")));
        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted);
        Assert.False(third.IsCompleted);
        Assert.False(_once.IsDone);
        gate.Release();
        await first.AsTask().Within();
        await second.AsTask().Within();
        await third.AsTask().Within();
        Assert.True(_once.IsDone);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_function_that_throws_has_run(bool asynchronously)
    {
        if (asynchronously)
            await Assert.ThrowsAsync<ArithmeticException>(async () => await _once.DoAsync(() => Task.FromException(new ArithmeticException())));
        else
            await Assert.ThrowsAsync<ArithmeticException>(async () => await _once.DoAsync(Throw));
        Assert.True(_once.IsDone);
        await _once.DoAsync(() => Assert.Fail("ran twice"));

        static void Throw() => throw new ArithmeticException();
    }

    [Fact]
    public async Task Who_waits_for_a_function_that_throws_gets_no_exception()
    {
        var gate = new GoSemaphore(1);
        await gate.AcquireAsync();
        ValueTask first = _once.DoAsync(async () =>
        {
            await gate.AcquireAsync();
            throw new ArithmeticException();
        });
        ValueTask second = _once.DoAsync(() => Assert.Fail("ran twice"));
        gate.Release();
        await Assert.ThrowsAsync<ArithmeticException>(async () => await first);
        await second.AsTask().Within();
    }

    [Fact]
    public async Task Who_waits_can_be_cancelled_and_the_function_cannot()
    {
        using var cancellation = new CancellationTokenSource();
        var gate = new GoSemaphore(1);
        await gate.AcquireAsync();
        ValueTask first = _once.DoAsync(async () => await gate.AcquireAsync(), cancellation.Token);
        ValueTask second = _once.DoAsync(() => Assert.Fail("ran twice"), cancellation.Token);
        await cancellation.CancelAsync();
        Assert.True(second.IsCanceled);
        Assert.False(first.IsCompleted);
        gate.Release();
        await first.AsTask().Within();
        Assert.True(_once.DoAsync(() => Assert.Fail("ran twice"), cancellation.Token).IsCanceled);
    }

    [Fact]
    public void A_cancelled_token_runs_nothing()
    {
        Assert.True(_once.DoAsync(() => Assert.Fail("ran"), new CancellationToken(canceled: true)).IsCanceled);
        Assert.False(_once.IsDone);
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Runs_once_under_stress(int processors) => On.Processors(processors, async () =>
    {
        for (int round = 0; round < 200; round++)
        {
            var once = new Once();
            int runs = 0;
            bool ended = false;
            int early = 0;
            var group = new WaitGroup();
            for (int g = 0; g < 10; g++)
            {
                group.Go(async () =>
                {
                    await once.DoAsync(async () =>
                    {
                        Interlocked.Increment(ref runs);
                        await Go.YieldAsync();
                        Volatile.Write(ref ended, true);
                    });
                    if (!Volatile.Read(ref ended))
                        Interlocked.Increment(ref early);
                });
            }
            await group.WaitAsync();
            Assert.Equal(1, runs);
            Assert.Equal(0, early);
        }
    });
}
