namespace NetGo.Scheduler.Tests.Contexts;

public sealed class ContextTests
{
    private static readonly ContextKey<string> s_user = new("user");
    private static readonly ContextKey<string> s_otherUser = new("user");
    private static readonly ContextKey<int> s_depth = new("depth");

    [Fact]
    public void The_roots_are_never_done()
    {
        foreach (Context root in new[] { Context.Background, Context.Todo })
        {
            Assert.False(root.IsDone);
            Assert.Null(root.Err);
            Assert.Null(root.Cause);
            Assert.Null(root.Done);
            Assert.Null(root.Deadline);
            Assert.False(root.Token.CanBeCanceled);
            root.ThrowIfDone();
        }
    }

    [Fact]
    public void Canceling_ends_all_below_and_nothing_above_or_beside()
    {
        using CancelContext root = Context.WithCancel(Context.Background);
        using CancelContext canceled = Context.WithCancel(root);
        Context value = Context.WithValue(canceled, s_depth, 1);
        using CancelContext below = Context.WithCancel(value);
        using CancelContext beside = Context.WithCancel(root);

        canceled.Cancel();

        Assert.True(canceled.IsDone && value.IsDone && below.IsDone);
        Assert.False(root.IsDone || beside.IsDone);
        Assert.IsType<ContextCanceledException>(below.Err);
        Assert.Same(canceled.Err, below.Err);
        Assert.Same(below.Err, below.Cause);
    }

    [Fact]
    public void The_first_cause_stays_and_is_that_of_all_below()
    {
        var cause = new InvalidOperationException("The disk is full.");
        using CancelContext root = Context.WithCancel(Context.Background);
        using CancelContext early = Context.WithCancel(root);
        using CancelContext late = Context.WithCancel(root);
        early.Cancel(new ArithmeticException());

        root.Cancel(cause);
        root.Cancel(new TimeoutException());

        Assert.Same(cause, root.Cause);
        Assert.Same(cause, late.Cause);
        Assert.IsType<ArithmeticException>(early.Cause);
        Assert.Contains("The disk is full.", root.Err!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_derives_from_a_done_context_is_done_with_its_cause()
    {
        var cause = new InvalidOperationException();
        using CancelContext root = Context.WithCancel(Context.Background);
        root.Cancel(cause);
        using CancelContext child = Context.WithCancel(root);
        using CancelContext withTimeout = Context.WithTimeout(root, TimeSpan.Zero, new ArithmeticException());
        Assert.Same(cause, child.Cause);
        Assert.Same(cause, withTimeout.Cause);
        Assert.Same(root.Err, withTimeout.Err);
        Assert.Equal(0, root.ChildCount);
    }

    [Fact]
    public void ThrowIfDone_throws_a_new_exception_with_the_token_and_the_cause()
    {
        var cause = new InvalidOperationException();
        using CancelContext context = Context.WithCancel(Context.Background);
        context.ThrowIfDone();
        context.Cancel(cause);
        var first = Assert.Throws<ContextCanceledException>(context.ThrowIfDone);
        var second = Assert.Throws<ContextCanceledException>(context.ThrowIfDone);
        Assert.Same(cause, first.InnerException);
        Assert.Equal(context.Token, first.CancellationToken);
        Assert.NotSame(first, second);
        Assert.NotSame(first, context.Err);
    }

    [Fact]
    public void A_value_is_found_by_its_key_and_not_by_the_name()
    {
        Context outer = Context.WithValue(Context.Background, s_user, "Ada");
        using CancelContext middle = Context.WithCancel(outer);
        Context inner = Context.WithValue(Context.WithValue(middle, s_depth, 3), s_user, "Grace");

        Assert.Equal("Grace", inner.Value(s_user));
        Assert.Equal("Ada", middle.Value(s_user));
        Assert.Equal(3, inner.Value(s_depth));
        Assert.Equal(0, outer.Value(s_depth));
        Assert.Null(inner.Value(s_otherUser));
        Assert.False(inner.TryGetValue(s_otherUser, out _));
        Assert.True(inner.TryGetValue(s_depth, out int depth));
        Assert.Equal(3, depth);
    }

    [Fact]
    public void Without_cancel_has_the_values_and_neither_the_end_nor_the_deadline()
    {
        using CancelContext parent = Context.WithTimeout(Context.WithValue(Context.Background, s_user, "Ada"), TimeSpan.FromHours(1));
        Context detached = Context.WithoutCancel(parent);
        using CancelContext below = Context.WithCancel(detached);
        parent.Cancel();
        Assert.Equal("Ada", below.Value(s_user));
        Assert.False(detached.IsDone || below.IsDone);
        Assert.Null(below.Deadline);
        Assert.Null(detached.Done);
    }

    [Fact]
    public void Says_how_it_was_made()
    {
        using CancelContext context = Context.WithCancel(Context.WithValue(Context.Background, s_user, "Ada"));
        Assert.Equal("Background.WithValue(user).WithCancel", context.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Done_is_closed_for_those_who_wait_and_for_those_who_come_later(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext root = Context.WithCancel(Context.Background);
            Context context = Context.WithValue(root, s_depth, 1);
            Channel<int> numbers = Channel.Make<int>();
            Channel<string> results = Channel.Make<string>();
            Go.Spawn(async () =>
            {
                var select = new Select();
                ReceiveCase<int> number = select.Receive(numbers);
                ReceiveCase<bool> done = select.Receive(context.Done);
                int index = await select.WaitAsync();
                await results.SendAsync(index == done.Index && index != number.Index ? "done" : "number");
            });
            Assert.Same(root.Done, context.Done);
            await Go.YieldAsync();
            root.Cancel();
            Assert.Equal("done", (await results.ReceiveAsync()).Value);
            Assert.False((await context.Done!.ReceiveAsync()).Ok);
            using CancelContext late = Context.WithCancel(context);
            Assert.False((await late.Done!.ReceiveAsync()).Ok);
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Waiting_for_the_end(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            var group = new WaitGroup();
            for (int i = 0; i < 10; i++)
                group.Go(async () => await context.WaitDoneAsync());
            await Go.YieldAsync();
            context.Cancel();
            await group.WaitAsync();
            await context.WaitDoneAsync();
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_wait_for_the_end_is_withdrawn_by_its_token(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            foreach (Context waited in new[] { context, Context.Background })
            {
                using var source = new CancellationTokenSource();
                Go.Spawn(async () =>
                {
                    await Go.YieldAsync();
                    source.Cancel();
                });
                var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waited.WaitDoneAsync(source.Token));
                Assert.Equal(source.Token, e.CancellationToken);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waited.WaitDoneAsync(source.Token));
            }
            context.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await context.WaitDoneAsync(new CancellationToken(true)));
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_goroutine_that_only_asks_for_done_contexts_lets_others_run()
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        await scheduler.RunAsync(async () =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            context.Cancel();
            bool other = false;
            Go.Spawn(() => other = true);
            for (int i = 0; i < 5_000_000 && !other; i++)
                await context.WaitDoneAsync();
            Assert.True(other);
        }).Within();
    }

    [Fact]
    public async Task A_wait_cannot_be_awaited_twice_nor_blocked_on()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
#pragma warning disable CA2012, xUnit1031 // what is tested
            using CancelContext context = Context.WithCancel(Context.Background);
            ValueTask wait = context.WaitDoneAsync();
            Assert.Throws<InvalidOperationException>(() => wait.GetAwaiter().GetResult());
            Go.Spawn(() => context.Cancel());
            await wait;
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await wait);
#pragma warning restore CA2012, xUnit1031
        }).Within();
    }

    [Fact]
    public void A_deep_tree_ends_without_a_deep_stack()
    {
        using CancelContext root = Context.WithCancel(Context.Background);
        CancelContext deepest = root;
        for (int i = 0; i < 100_000; i++)
            deepest = Context.WithCancel(deepest);
        root.Cancel();
        Assert.True(deepest.IsDone);
    }

    [Fact]
    public async Task Whoever_has_canceled_finds_the_whole_tree_done()
    {
        for (int round = 0; round < 300; round++)
        {
            using CancelContext root = Context.WithCancel(Context.Background);
            CancelContext[] middles = [.. Enumerable.Range(0, 10).Select(_ => Context.WithCancel(root))];
            CancelContext[] leaves = [.. middles.SelectMany(m => Enumerable.Range(0, 10).Select(_ => Context.WithCancel(m)))];
            using var start = new Barrier(3);
            int notDone = 0;
            async Task CancelAndLook(CancelContext context, IEnumerable<CancelContext> below) => await Task.Run(() =>
            {
                start.SignalAndWait();
                context.Cancel();
                Interlocked.Add(ref notDone, below.Count(c => !c.IsDone));
            });
            await Task.WhenAll(
                CancelAndLook(root, leaves), CancelAndLook(root, leaves), CancelAndLook(middles[5], leaves[50..60])).Within();
            Assert.Equal(0, notDone);
        }
    }

    [Fact]
    public async Task Children_that_come_and_go_while_the_parent_ends_all_end()
    {
        for (int round = 0; round < 200; round++)
        {
            using CancelContext root = Context.WithCancel(Context.Background);
            using var start = new Barrier(3);
            Task<List<CancelContext>> Derive() => Task.Run(() =>
            {
                var made = new List<CancelContext>();
                start.SignalAndWait();
                for (int i = 0; i < 100; i++)
                {
                    CancelContext child = Context.WithCancel(root);
                    made.Add(child);
                    if (i % 3 == 0)
                        child.Dispose();
                }
                return made;
            });
            Task<List<CancelContext>> first = Derive();
            Task<List<CancelContext>> second = Derive();
            start.SignalAndWait();
            root.Cancel();
            Assert.All(await first.Within(), child => Assert.True(child.IsDone));
            Assert.All(await second.Within(), child => Assert.True(child.IsDone));
            Assert.Equal(0, root.ChildCount);
        }
    }

    [Fact]
    public void A_parent_keeps_no_child_that_was_disposed_of()
    {
        using CancelContext parent = Context.WithCancel(Context.Background);
        int timers = TimersOnDefault();
        for (int i = 0; i < 50_000; i++)
        {
            using CancelContext child = Context.WithCancel(Context.WithValue(parent, s_depth, i));
            using CancelContext grandchild = Context.WithTimeout(child, TimeSpan.FromHours(1));
            using ContextRegistration callback = Context.AfterFunc(grandchild, () => Task.CompletedTask);
            _ = grandchild.Token;
            _ = child.Done;
        }
        Assert.Equal(0, parent.ChildCount);
        Assert.Equal(timers, TimersOnDefault());
    }

    private static int TimersOnDefault()
    {
        int count = 0;
        foreach (Processor p in GoScheduler.Default.Processors)
            count += p.Timers.Count;
        return count;
    }

    [Fact]
    public async Task A_long_lived_parent_keeps_nothing_of_a_hundred_thousand_children()
    {
        using CancelContext parent = Context.WithCancel(Context.Background);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 25_000; i++)
                Context.WithCancel(parent).Dispose();
        }))).Within();
        Assert.Equal(0, parent.ChildCount);
    }

    [Fact]
    public void One_that_has_ended_before_it_is_attached_stays_with_no_parent()
    {
        // As a deadline may that passes meanwhile.
        using CancelContext parent = Context.WithCancel(Context.Background);
        using var context = new CancelContext(parent);
        context.Cancel();
        context.Attach();
        Assert.Equal(0, parent.ChildCount);
        Assert.False(parent.IsDone);
    }
}
