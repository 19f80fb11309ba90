using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Contexts;

public sealed class ContextTokenTests
{
    [Fact]
    public void The_token_is_canceled_with_the_context()
    {
        using CancelContext root = Context.WithCancel(Context.Background);
        using CancelContext context = Context.WithCancel(root);
        CancellationToken token = context.Token;
        int called = 0;
        using CancellationTokenRegistration registration = token.Register(() => called++);
        Assert.Equal(token, Context.WithValue(context, new ContextKey<int>("k"), 1).Token);
        Assert.False(token.IsCancellationRequested);
        root.Cancel();
        Assert.True(token.IsCancellationRequested);
        Assert.Equal(1, called);
    }

    [Fact]
    public void A_token_asked_for_after_the_end_is_canceled()
    {
        using CancelContext context = Context.WithCancel(Context.Background);
        context.Cancel();
        Assert.True(context.Token.IsCancellationRequested);
    }

    [Fact]
    public void Callbacks_run_under_no_lock_and_find_the_tree_done()
    {
        using CancelContext root = Context.WithCancel(Context.Background);
        using CancelContext first = Context.WithCancel(root);
        using CancelContext last = Context.WithCancel(root);
        bool allDone = false;
        first.Token.Register(() =>
        {
            // Another thread can use every one of them meanwhile.
            allDone = Task.Run(() =>
            {
                using CancelContext child = Context.WithCancel(root);
                using CancelContext grandchild = Context.WithCancel(first);
                return child.IsDone && grandchild.IsDone && last.IsDone && last.Token.CanBeCanceled && root.Done is not null;
            }).Wait(Bounded.Limit);
        });
        root.Cancel();
        Assert.True(allDone);
    }

    [Fact]
    public void What_callbacks_throw_is_thrown_after_all_were_called()
    {
        using CancelContext root = Context.WithCancel(Context.Background);
        using CancelContext child = Context.WithCancel(root);
        int called = 0;
        root.Token.Register(() => throw new ArithmeticException());
        child.Token.Register(() => called++);
        child.Token.Register(() => throw new InvalidOperationException());
        var e = Assert.Throws<AggregateException>(() => root.Cancel());
        Assert.Equal(2, e.InnerExceptions.Count);
        Assert.Equal(1, called);
    }

    [Fact]
    public void A_context_ends_with_a_token()
    {
        using var source = new CancellationTokenSource();
        using CancelContext context = Context.FromToken(source.Token);
        using CancelContext child = Context.WithCancel(context);
        Assert.False(child.IsDone);
        source.Cancel();
        Assert.Equal(source.Token, Assert.IsType<ContextCanceledException>(child.Err).CancellationToken);
        using CancelContext late = Context.FromToken(source.Token);
        Assert.True(late.IsDone);
        using CancelContext never = Context.FromToken(default);
        Assert.False(never.IsDone);
    }

    [Fact]
    public void With_a_token_it_ends_by_whichever_comes_first()
    {
        using var source = new CancellationTokenSource();
        using CancelContext parent = Context.WithCancel(Context.Background);
        using CancelContext byParent = Context.WithToken(parent, source.Token);
        parent.Cancel(new ArithmeticException());
        Assert.IsType<ArithmeticException>(byParent.Cause);
        using CancelContext byToken = Context.WithToken(Context.Background, source.Token);
        source.Cancel();
        Assert.True(byToken.IsDone);
        Assert.IsType<ArithmeticException>(byParent.Cause);
    }

    [Fact]
    public void The_cause_survives_the_way_through_tokens()
    {
        var cause = new InvalidOperationException();
        using CancelContext origin = Context.WithCancel(Context.Background);
        using CancelContext second = Context.FromToken(origin.Token);
        using CancelContext third = Context.FromToken(second.Token);
        origin.Cancel(cause);
        using CancelContext late = Context.FromToken(third.Token);
        foreach (Context context in new[] { second, third, late })
        {
            Assert.Same(cause, context.Cause);
            Assert.Same(origin.Err, context.Err);
        }
        using CancelContext expired = Context.WithTimeout(Context.Background, TimeSpan.Zero);
        using CancelContext ofExpired = Context.FromToken(expired.Token);
        Assert.IsType<ContextDeadlineExceededException>(ofExpired.Err);
    }

    [Fact]
    public void A_token_keeps_no_context_that_was_disposed_of()
    {
        using var source = new CancellationTokenSource();
        WeakReference[] contexts = Make(source.Token);
        for (int i = 0; i < 5 && Array.Exists(contexts, c => c.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.DoesNotContain(contexts, c => c.IsAlive);
        GC.KeepAlive(source);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference[] Make(CancellationToken token) =>
        [
            .. Enumerable.Range(0, 100).Select(_ =>
            {
                using CancelContext context = Context.FromToken(token);
                return new WeakReference(context);
            }),
        ];
    }

    [Fact]
    public async Task A_token_that_is_canceled_while_the_context_is_made_is_not_missed()
    {
        for (int i = 0; i < 1000; i++)
        {
            using var source = new CancellationTokenSource();
            Task cancel = Task.Run(source.Cancel);
            using CancelContext context = Context.WithToken(Context.Background, source.Token);
            await cancel.Within();
            Assert.True(context.IsDone);
        }
    }
}
