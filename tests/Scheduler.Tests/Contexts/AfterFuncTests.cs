namespace NetGo.Scheduler.Tests.Contexts;

public sealed class AfterFuncTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Runs_once_in_a_goroutine_of_its_own_when_the_context_ends(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        var flowing = new AsyncLocal<string>();
        await scheduler.RunAsync(async () =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            Goroutine registrant = Machine.OfThisThread!.Current!;
            Channel<(Goroutine, string?)> runs = Channel.Make<(Goroutine, string?)>(10);
            flowing.Value = "registrant";
            ContextRegistration callback = Context.AfterFunc(context, async () => await runs.SendAsync((Machine.OfThisThread!.Current!, flowing.Value)));
            flowing.Value = "canceler";
            context.Cancel();
            context.Cancel();
            ((Goroutine g, string? flowed), _) = await runs.ReceiveAsync();
            Assert.NotSame(registrant, g);
            Assert.Equal("registrant", flowed);
            Assert.False(callback.Stop());
            await Go.YieldAsync();
            Assert.Equal(0, runs.Count);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Runs_at_once_when_the_context_is_done()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            context.Cancel();
            Channel<bool> ran = Channel.Make<bool>();
            using ContextRegistration callback = Context.AfterFunc(context, async () => await ran.SendAsync(true));
            Assert.True((await ran.ReceiveAsync()).Ok);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Stopped_in_time_it_never_runs()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            int ran = 0;
            ContextRegistration callback = Context.AfterFunc(context, () =>
            {
                ran++;
                return Task.CompletedTask;
            });
            Assert.True(callback.Stop());
            Assert.False(callback.Stop());
            Assert.Equal(0, context.ChildCount);
            context.Cancel();
            await Go.YieldAsync();
            await Go.YieldAsync();
            Assert.Equal(0, ran);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void On_a_context_that_cannot_end_it_waits_for_ever()
    {
        ContextRegistration callback = Context.AfterFunc(Context.Background, () => throw new ArithmeticException());
        Assert.True(callback.Stop());
        Assert.False(callback.Stop());
    }

    [Fact]
    public async Task It_either_runs_or_was_stopped()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        int ran = 0;
        int stopped = 0;
        for (int i = 0; i < 1000; i++)
        {
            await scheduler.RunAsync(async () =>
            {
                using CancelContext context = Context.WithCancel(Context.Background);
                ContextRegistration callback = Context.AfterFunc(context, () =>
                {
                    Interlocked.Increment(ref ran);
                    return Task.CompletedTask;
                });
                var group = new WaitGroup();
                group.Go(() =>
                {
                    if (callback.Stop())
                        Interlocked.Increment(ref stopped);
                    return Task.CompletedTask;
                });
                context.Cancel();
                await group.WaitAsync();
            }).Within();
        }
        Bounded.NoneLeft(scheduler);
        Assert.Equal(1000, ran + stopped);
    }

    [Fact]
    public async Task After_its_scheduler_was_stopped_the_end_goes_on_without_it()
    {
        using CancelContext context = Context.WithCancel(Context.Background);
        bool ran = false;
        using (GoScheduler scheduler = Bounded.NewScheduler(1))
        {
            await scheduler.RunAsync(() =>
            {
                _ = Context.AfterFunc(context, () =>
                {
                    ran = true;
                    return Task.CompletedTask;
                });
                return Task.CompletedTask;
            }).Within();
        }
        using CancelContext child = Context.WithCancel(context);
        context.Cancel();
        Assert.True(child.IsDone);
        Assert.False(ran);
    }
}
