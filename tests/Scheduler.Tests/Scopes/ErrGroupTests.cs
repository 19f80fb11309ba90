namespace NetGo.Scheduler.Tests.Scopes;

public sealed class ErrGroupTests
{
    private static async Task OnScheduler(int processors, Func<Task> body)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(body).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Waits_for_all(int processors) => OnScheduler(processors, async () =>
    {
        var group = new ErrGroup();
        int ended = 0;
        for (int i = 0; i < 100; i++)
        {
            group.Go(async () =>
            {
                await Go.YieldAsync();
                Interlocked.Increment(ref ended);
            });
        }
        await group.WaitAsync();
        Assert.Equal(100, ended);
        await group.WaitAsync();
    });

    [Fact]
    public Task Nothing_to_wait_for() => OnScheduler(1, async () => await new ErrGroup().WaitAsync());

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Throws_the_first_error_with_its_stack_after_all_have_ended(int processors) => OnScheduler(processors, async () =>
    {
        var group = new ErrGroup();
        var failure = new ArithmeticException();
        bool ended = false;
        Channel<bool> failed = Channel.Make<bool>();
        group.Go(async () =>
        {
            await failed.ReceiveAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            ended = true;
            throw new FormatException();
        });
        group.Go(() =>
        {
            try
            {
                return ThrowFromHere(failure);
            }
            finally
            {
                failed.Close();
            }
        });
        var e = await Assert.ThrowsAsync<ArithmeticException>(async () => await group.WaitAsync());
        Assert.Same(failure, e);
        Assert.Contains(nameof(ThrowFromHere), e.StackTrace, StringComparison.Ordinal);
        Assert.True(ended);
    });

    private static Task ThrowFromHere(Exception e) => throw e;

    [Fact]
    public Task The_context_ends_with_the_first_error_as_its_cause() => OnScheduler(1, async () =>
    {
        var failure = new ArithmeticException();
        ErrGroup group = ErrGroup.WithContext(Context.Background, out Context context);
        group.Go(async () =>
        {
            await context.WaitDoneAsync();
            context.ThrowIfDone();
        });
        group.Go(() => throw failure);
        Assert.Same(failure, await Assert.ThrowsAsync<ArithmeticException>(async () => await group.WaitAsync()));
        Assert.Same(failure, context.Cause);
    });

    [Fact]
    public Task The_context_ends_when_all_is_over_and_its_parent_keeps_nothing() => OnScheduler(1, async () =>
    {
        using CancelContext parent = Context.WithCancel(Context.Background);
        ErrGroup group = ErrGroup.WithContext(parent, out Context context);
        Assert.Equal(1, parent.ChildCount);
        group.Go(() => Task.CompletedTask);
        await Go.YieldAsync();
        Assert.False(context.IsDone);
        await group.WaitAsync();
        Assert.True(context.IsDone);
        Assert.Equal(0, parent.ChildCount);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task No_more_than_the_limit_run_at_a_time(int processors) => OnScheduler(processors, async () =>
    {
        var group = new ErrGroup(limit: 3);
        int running = 0;
        int most = 0;
        int ended = 0;
        for (int i = 0; i < 200; i++)
        {
            await group.GoAsync(async () =>
            {
                int now = Interlocked.Increment(ref running);
                for (int seen = most; now > seen; seen = most)
                    Interlocked.CompareExchange(ref most, now, seen);
                do
                    await Go.YieldAsync();
                while (Volatile.Read(ref most) < 3); // the first ones stay until there are as many as may be
                Interlocked.Decrement(ref running);
                Interlocked.Increment(ref ended);
            });
        }
        await group.WaitAsync();
        Assert.Equal(200, ended);
        Assert.Equal(3, most);
    });

    [Fact]
    public Task TryGo_starts_only_below_the_limit() => OnScheduler(1, async () =>
    {
        var group = new ErrGroup(limit: 1);
        Channel<bool> end = Channel.Make<bool>();
        Func<Task> body = async () => await end.ReceiveAsync();
        Assert.True(group.TryGo(body));
        Assert.False(group.TryGo(body));
        Assert.Throws<InvalidOperationException>(() => group.SetLimit(2));
        await end.SendAsync(true);
        await Go.YieldAsync();
        Assert.True(group.TryGo(body));
        end.Close();
        await group.WaitAsync();
        Assert.False(new ErrGroup(limit: 0).TryGo(body));
    });

    [Fact]
    public Task Go_is_for_groups_without_a_limit() => OnScheduler(1, async () =>
    {
        var group = new ErrGroup(limit: 10);
        Assert.Throws<InvalidOperationException>(() => group.Go(() => Task.CompletedTask));
        group.SetLimit(-1);
        group.Go(() => Task.CompletedTask);
        await group.WaitAsync();
        Assert.Throws<InvalidOperationException>(() => group.Go(() => Task.CompletedTask));
        Assert.Throws<InvalidOperationException>(() => group.TryGo(() => Task.CompletedTask));
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task A_wait_for_a_slot_is_withdrawn_by_its_token(int processors) => OnScheduler(processors, async () =>
    {
        var group = new ErrGroup(limit: 1);
        Channel<bool> end = Channel.Make<bool>();
        await group.GoAsync(async () => await end.ReceiveAsync());
        using var source = new CancellationTokenSource();
        bool started = false;
        Go.Spawn(source.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await group.GoAsync(
            () =>
            {
                started = true;
                return Task.CompletedTask;
            },
            source.Token));
        end.Close();
        bool next = false;
        await group.GoAsync(() =>
        {
            next = true;
            return Task.CompletedTask;
        });
        await group.WaitAsync();
        Assert.True(next);
        Assert.False(started);
    });

    [Fact]
    public Task Slots_survive_cancellations_at_the_same_time() => OnScheduler(2, async () =>
    {
        var group = new ErrGroup(limit: 2);
        int started = 0;
        int refused = 0;
        int ended = 0;
        var starters = new WaitGroup();
        for (int i = 0; i < 1000; i++)
        {
#pragma warning disable CA2000 // may be canceled after its last use
            var source = new CancellationTokenSource();
#pragma warning restore CA2000
            starters.Go(async () =>
            {
                try
                {
                    await group.GoAsync(
                        async () =>
                        {
                            await Go.YieldAsync();
                            Interlocked.Increment(ref ended);
                        },
                        source.Token);
                    Interlocked.Increment(ref started);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref refused);
                }
            });
            if (i % 3 == 0)
                Go.Spawn(source.Cancel);
        }
        await starters.WaitAsync();
        Assert.Equal(1000, started + refused);
        // Both slots are there still.
        Channel<bool> end = Channel.Make<bool>();
        await group.GoAsync(async () => await end.ReceiveAsync());
        await group.GoAsync(async () => await end.ReceiveAsync());
        Assert.False(group.TryGo(() => Task.CompletedTask));
        end.Close();
        await group.WaitAsync();
        Assert.Equal(started, ended);
    });

    [Fact]
    public Task A_wait_for_the_end_is_withdrawn_by_its_token() => OnScheduler(1, async () =>
    {
        var group = new ErrGroup();
        Channel<bool> end = Channel.Make<bool>();
        group.Go(async () => await end.ReceiveAsync());
        using var source = new CancellationTokenSource();
        Go.Spawn(source.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await group.WaitAsync(source.Token));
        end.Close();
        await group.WaitAsync();
    });

    [Fact]
    public async Task Waiting_parks_with_reason_scope()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Goroutine? waiter = null;
        Channel<bool> end = Channel.Make<bool>();
        Task run = scheduler.RunAsync(async () =>
        {
            Volatile.Write(ref waiter, Machine.OfThisThread!.Current);
            var group = new ErrGroup();
            group.Go(async () => await end.ReceiveAsync());
            await group.WaitAsync();
        });
        Bounded.Until(() => Volatile.Read(ref waiter)?.WaitReason == WaitReason.Scope, "a goroutine parked with reason Scope");
        end.Close();
        await run.Within();
    }
}
