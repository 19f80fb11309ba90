namespace NetGo.Scheduler.Tests.Simulations;

public sealed class ContextExploration
{
    /// <summary>A context beside what the model says of it.</summary>
    private sealed class Node(Context context, Node? canceler)
    {
        private readonly List<Node> _children = [];

        public Context Context => context;

        /// <summary>What decides of its end: itself, the nearest above that can end, or nobody.</summary>
        public Node? Canceler => context is CancelContext ? this : canceler;

        /// <summary>In nanoseconds, inherited or its own.</summary>
        public long Deadline { get; init; } = long.MaxValue;

        public bool HasTimer { get; init; }
        public Exception? DeadlineCause { get; init; }

        public bool IsDone { get; private set; }
        public bool EndedByDeadline { get; private set; }
        public Exception? Cause { get; private set; }
        public long EndedAt { get; private set; }

        public Node Derive(Context derived, long deadline = long.MaxValue, Exception? deadlineCause = null, bool hasTimer = false)
        {
            var child = new Node(derived, Canceler)
            {
                Deadline = Math.Min(deadline, Canceler?.Deadline ?? long.MaxValue),
                DeadlineCause = deadlineCause,
                HasTimer = hasTimer,
            };
            if (derived is not CancelContext || Canceler is null)
                return child;
            if (Canceler.IsDone)
                child.End(GoScheduler.Current.Now(), Canceler.EndedByDeadline, Canceler.Cause);
            else
                Canceler._children.Add(child);
            return child;
        }

        public void End(long now, bool byDeadline, Exception? cause)
        {
            if (IsDone)
                return;
            (IsDone, EndedAt, EndedByDeadline, Cause) = (true, now, byDeadline, cause);
            foreach (Node child in _children)
                child.End(now, byDeadline, cause);
        }

        public void Check()
        {
            if (Canceler is not { } decides)
            {
                Assert.False(context.IsDone);
                Assert.Null(context.Done);
                Assert.False(context.Token.CanBeCanceled);
                return;
            }
            Assert.Equal(decides.IsDone, context.IsDone);
            Assert.Equal(decides.IsDone, context.Done!.TryReceive(out _, out bool ok));
            Assert.False(ok);
            Assert.Equal(decides.Deadline != long.MaxValue, context.Deadline is not null);
            if (!decides.IsDone)
            {
                Assert.Null(context.Err);
                Assert.Null(context.Cause);
                Assert.False(context.Token.IsCancellationRequested);
                context.ThrowIfDone();
                return;
            }
            Assert.IsType(decides.EndedByDeadline ? typeof(ContextDeadlineExceededException) : typeof(ContextCanceledException), context.Err);
            Assert.Same(decides.Cause ?? context.Err, context.Cause);
            Exception thrown = Assert.ThrowsAny<Exception>(context.ThrowIfDone);
            Assert.IsType(context.Err.GetType(), thrown);
            Assert.Same(decides.Cause, thrown.InnerException);
        }
    }

    /// <summary>Trees that grow while they are canceled from all sides, and while deadlines pass.</summary>
    [Exploration]
    public void Contexts_end_when_and_as_their_model_says() => Exploration.Run(async choices =>
    {
        List<Node> nodes = [new Node(Context.Background, null)];
        await choices.TogetherAsync(choices.Between(2, 6), async (_, own) =>
        {
            for (int i = own.Between(2, 8); i > 0; i--)
            {
                Step(own);
                PassDeadlines();
                own.Of(nodes).Check();
                await own.PauseAsync();
            }
        });
        PassDeadlines();
        foreach (Node node in nodes)
            node.Check();
        await Simulation.WaitAsync();
        foreach (Node node in nodes)
            Assert.Equal(node.Context.IsDone, node.Context.Token.IsCancellationRequested);
        await EndAllAsync();
        foreach (Node node in nodes)
        {
            node.Check();
            Assert.Equal(0, (node.Context as CancelContext)?.ChildCount ?? 0);
        }
        await Go.SleepAsync(TimeSpan.FromSeconds(1)); // those that pause
        Exploration.NoTimersLeft();

        void Step(Choices own)
        {
            PassDeadlines();
            Node parent = own.Of(nodes);
            switch (own.Below(10))
            {
                case 0 or 1:
                    nodes.Add(parent.Derive(Context.WithCancel(parent.Context)));
                    break;
                case 2 or 3:
                    AddWithTimeout(own, parent);
                    break;
                case 4:
                    nodes.Add(parent.Derive(Context.WithValue(parent.Context, new ContextKey<int>("n"), 1)));
                    break;
                case 5:
                    nodes.Add(new Node(Context.WithoutCancel(parent.Context), null));
                    break;
                case 6 when parent.Context is CancelContext canceled:
                    Exception? cause = own.CauseOrNone();
                    parent.End(GoScheduler.Current.Now(), byDeadline: false, cause);
                    canceled.Cancel(cause);
                    foreach (Node node in nodes)
                        node.Check(); // once Cancel has returned the whole subtree has ended
                    break;
                case 7 when parent.Canceler is not null:
                    Go.Spawn(() => WaitAsync(parent, own.Below(3)));
                    break;
                case 8 when parent.Canceler is not null:
                    Go.Spawn(() => AfterAsync(parent, own));
                    break;
                case 9 when parent.Canceler is not null:
                    CancelAnotherAfter(parent, own.Of(nodes), own.CauseOrNone());
                    break;
            }
        }

        // On the canceling thread, in the middle of a Cancel: the whole tree below has ended by then.
        void CancelAnotherAfter(Node node, Node another, Exception? cause) => node.Context.Token.Register(() =>
        {
            PassDeadlines();
            nodes.ForEach(static each => each.Check());
            if (another.Context is not CancelContext canceled)
                return;
            another.End(GoScheduler.Current.Now(), byDeadline: false, cause);
            canceled.Cancel(cause);
            nodes.ForEach(static each => each.Check());
        });

        void AddWithTimeout(Choices own, Node parent)
        {
            long now = GoScheduler.Current.Now();
            TimeSpan timeout = own.OneIn(4) ? TimeSpan.FromHours(own.OneIn(2) ? 1 : -1) : own.Milliseconds(0, 6);
            long deadline = now + Math.Max(0, timeout.Ticks * 100);
            Exception? cause = own.CauseOrNone();
            bool matters = parent.Canceler is null || parent.Canceler.Deadline > deadline;
            Context made = own.OneIn(2)
                ? Context.WithTimeout(parent.Context, timeout, cause)
                : Context.WithDeadline(parent.Context, GoScheduler.Current.TimeProvider.GetUtcNow() + timeout, cause);
            nodes.Add(parent.Derive(made, deadline, cause, matters));
            PassDeadlines();
        }

        void PassDeadlines()
        {
            long now = GoScheduler.Current.Now();
            foreach (Node node in nodes.Where(node => node.HasTimer && node.Deadline <= now).OrderBy(static node => node.Deadline))
                node.End(node.Deadline, byDeadline: true, node.DeadlineCause);
        }

        async Task WaitAsync(Node node, int way)
        {
            long began = GoScheduler.Current.Now();
            if (way == 0)
            {
                var select = new Select();
                select.Receive(node.Context.Done);
                await select.WaitAsync();
            }
            else if (way == 1)
            {
                await node.Context.WaitDoneAsync();
            }
            else if (!await new Choices(1).GivesUpAsync(node.Context.WaitDoneAsync))
            {
                return;
            }
            CheckTime(node, began);
        }

        async Task AfterAsync(Node node, Choices own)
        {
            int runs = 0;
            long began = GoScheduler.Current.Now();
            using ContextRegistration registration = Context.AfterFunc(node.Context, () =>
            {
                runs++;
                CheckTime(node, began);
                return Task.CompletedTask;
            });
            await own.PauseAsync();
            await own.PauseAsync();
            if (own.OneIn(2))
            {
                bool stopped = registration.Stop();
                await Simulation.WaitAsync();
                Assert.Equal(stopped ? 0 : 1, runs);
                Assert.False(registration.Stop());
                return;
            }
            await node.Context.WaitDoneAsync();
            await Simulation.WaitAsync();
            Assert.Equal(1, runs);
        }

        // Who waited runs at that very time: the clock stands still as long as anyone can run.
        void CheckTime(Node node, long began)
        {
            PassDeadlines();
            Assert.True(node.Canceler!.IsDone);
            Assert.Equal(Math.Max(began, node.Canceler.EndedAt), GoScheduler.Current.Now());
        }

        async Task EndAllAsync()
        {
            foreach (Node node in nodes)
            {
                PassDeadlines();
                if (node.Context is not CancelContext canceled)
                    continue;
                node.End(GoScheduler.Current.Now(), byDeadline: false, null);
                canceled.Dispose();
            }
            await Simulation.WaitAsync();
        }
    });

    /// <summary>Chains that lead from contexts to tokens and back, some with two ends.</summary>
    [Exploration]
    public void An_end_passes_through_tokens_with_its_cause() => Exploration.Run(async choices =>
    {
        var source = new CancellationTokenSource();
        List<(CancelContext Context, List<int> Above)> nodes = [(Context.WithCancel(Context.Background), []), (Context.FromToken(source.Token), [])];
        HashSet<int> ended = [];
        await choices.TogetherAsync(choices.Between(2, 5), async (_, own) =>
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                int above = own.Below(nodes.Count);
                int beside = own.Below(nodes.Count);
                switch (own.Below(6))
                {
                    case 0 or 1:
                        nodes.Add((Context.FromToken(nodes[above].Context.Token), [above]));
                        break;
                    case 2:
                        nodes.Add((Context.WithToken(nodes[above].Context, nodes[beside].Context.Token), [above, beside]));
                        break;
                    case 3:
                        nodes.Add((Context.WithTimeout(nodes[above].Context, own.Milliseconds(1, 8)), [above]));
                        break;
                    case 4:
                        nodes[above].Context.Cancel(own.CauseOrNone());
                        ended.Add(above);
                        break;
                    case 5 when own.OneIn(3):
                        source.Cancel();
                        ended.Add(1);
                        break;
                }
                await own.PauseAsync();
            }
        });
        await Simulation.WaitAsync();
        for (int i = 0; i < nodes.Count; i++)
        {
            (CancelContext context, List<int> above) = nodes[i];
            Assert.Equal(context.IsDone, context.Token.IsCancellationRequested);
            if (ended.Contains(i) || above.Exists(k => nodes[k].Context.IsDone))
                Assert.True(context.IsDone);
            if (!context.IsDone || ended.Contains(i) || above.Count == 0 || context.Err is ContextDeadlineExceededException)
                continue;
            Assert.Contains(context.Cause, above.Select(k => nodes[k].Context.Cause));
        }
        source.Cancel();
        nodes.ForEach(static node => node.Context.Dispose());
    });

    /// <summary>A token of a context ends what waits elsewhere, and none of it is lost.</summary>
    [Exploration]
    public void Whatever_waits_with_the_token_ends_with_the_context() => Exploration.Run(async choices =>
    {
        TimeSpan timeout = choices.Milliseconds(1, 5);
        long endsAt = GoScheduler.Current.Now() + timeout.Ticks * 100;
        using CancelContext context = Context.WithTimeout(Context.Background, timeout);
        if (choices.OneIn(2))
        {
            TimeSpan earlier = timeout - TimeSpan.FromMilliseconds(1);
            endsAt = GoScheduler.Current.Now() + earlier.Ticks * 100;
            Go.AfterFunc(earlier, () => context.Cancel());
        }
        Channel<int> full = Channel.Make<int>();
        Channel<int> empty = Channel.Make<int>();
        var mutex = new GoMutex();
        await mutex.LockAsync();
        var semaphore = new GoSemaphore(1);
        await semaphore.AcquireAsync();
        await choices.TogetherAsync(choices.Between(1, 6), async (_, own) =>
        {
            await own.PauseAsync();
            long began = GoScheduler.Current.Now();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await WaitAsync(own));
            Assert.True(context.IsDone);
            Assert.Equal(Math.Max(began, endsAt), GoScheduler.Current.Now());
        });
        Assert.False(mutex.TryLock());
        mutex.Unlock();
        Assert.True(mutex.TryLock());
        Assert.Equal(0, semaphore.Available);
        semaphore.Release();
        Assert.Equal(1, semaphore.Available);
        Assert.Throws<SemaphoreFullException>(() => semaphore.Release());

        ValueTask WaitAsync(Choices own) => own.Below(6) switch
        {
            0 => full.SendAsync(1, context.Token),
            1 => new ValueTask(empty.ReceiveAsync(context.Token).AsTask()),
            2 => mutex.LockAsync(context.Token),
            3 => semaphore.AcquireAsync(1, context.Token),
            4 => Go.SleepAsync(TimeSpan.FromHours(1), context.Token),
            _ => new ValueTask(new Select().WaitAsync(context.Token).AsTask()),
        };
    });

    [Fact]
    public void A_look_that_does_not_last_is_found() => Exploration.Finds(async choices =>
    {
        using CancelContext context = Context.WithTimeout(Context.Background, TimeSpan.FromMilliseconds(3));
        bool stored = false;
        if (!context.IsDone)
        {
            await choices.PauseAsync(); // the mistake: it may end now
            stored = !context.IsDone;
            await choices.PauseAsync();
        }
        Assert.Equal(stored, !context.IsDone);
    });
}
