namespace NetGo.Scheduler.Tests;

public sealed class ForeignAwaitTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_is_awaited_comes_back_to_a_machine(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => scheduler.RunAsync(async () =>
        {
            long id = ((Goroutine)SynchronizationContext.Current!).Id;
            void Check()
            {
                Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
                Assert.Equal(id, ((Goroutine)SynchronizationContext.Current!).Id);
            }
            await Task.Delay(1);
            Check();
            Assert.Equal(5, await Task.Run(() => 5));
            Check();
            var source = new TaskCompletionSource();
            new Thread(source.SetResult).Start();
            await source.Task;
            Check();
            await Task.Yield();
            Check();
            await Go.YieldAsync();
            Check();
        }))).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task ConfigureAwait_false_may_leave_and_the_goroutine_still_ends()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => scheduler.RunAsync(async () =>
        {
            await Task.Delay(1).ConfigureAwait(false);
            await Go.YieldAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        }))).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Two_foreign_waits_of_one_goroutine_may_end_at_the_same_time()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        for (int i = 0; i < 200; i++)
        {
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            int ends = 0;
            async Task Wait()
            {
                await gate.Task;
                Assert.NotNull(Machine.OfThisThread);
                Interlocked.Increment(ref ends);
                await Go.YieldAsync();
                Interlocked.Increment(ref ends);
            }
            Task run = scheduler.RunAsync(() => Task.WhenAll(Wait(), Wait(), Wait()));
            gate.SetResult();
            await run.Within();
            Assert.Equal(6, ends);
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_method_that_was_called_and_not_awaited_yet_runs_beside_its_caller()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Task<int> first = SleepThenAsync(5, 1); // has parked the goroutine: the code goes on as a branch
            Task<int> second = SleepThenAsync(1, 2);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            await Go.YieldAsync();
            Assert.Equal(2, await second);
            await Task.Delay(1);
            Assert.Equal(1, await first);
            Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    private static async Task<int> SleepThenAsync(int milliseconds, int result)
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(milliseconds));
        return result;
    }

    [Fact]
    public async Task What_was_called_and_never_awaited_does_not_keep_others_waiting()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        int ends = 0;
        for (int i = 0; i < 1000; i++)
        {
            scheduler.Spawn(() =>
            {
                _ = Straggle();
                return Task.CompletedTask;
            });
        }
        async Task Straggle()
        {
            await Go.YieldAsync();
            await Task.Delay(1);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            Interlocked.Increment(ref ends);
        }
        Bounded.Until(() => Volatile.Read(ref ends) == 1000, "stragglers");
        Bounded.NoneLeft(scheduler);
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
    }
}
