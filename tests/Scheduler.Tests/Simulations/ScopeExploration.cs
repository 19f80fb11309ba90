namespace NetGo.Scheduler.Tests.Simulations;

public sealed class ScopeExploration
{
    private sealed class TestException : Exception
    {
        public TestException()
            : base("on purpose")
        {
        }
    }

    /// <summary>What has happened in a scope.</summary>
    private sealed class Record
    {
        private bool _doneBefore;

        public int Running { get; private set; }

        /// <summary>What tasks and the body have thrown, cancellations excepted, in order.</summary>
        public List<Exception> Thrown { get; } = [];

        /// <summary>A task or the body has ended with a cancellation.</summary>
        public bool Interrupted { get; private set; }

        public bool CanceledWithin { get; private set; }

        public Exception? CauseWithin { get; private set; }

        public async Task TrackAsync(TaskScope scope, Func<Task> body)
        {
            Running++;
            try
            {
                await body();
            }
            catch (Exception e) when (e is OperationCanceledException or ContextDeadlineExceededException)
            {
                Assert.True(scope.Context.IsDone);
                Interrupted = true;
                throw;
            }
            catch (Exception e)
            {
                _doneBefore |= scope.Context.IsDone && Thrown.Count == 0;
                if (!Thrown.Contains(e))
                    Thrown.Add(e);
                throw;
            }
            finally
            {
                Running--;
            }
        }

        public void Cancel(TaskScope scope, Exception? cause)
        {
            if (!scope.Context.IsDone)
            {
                CanceledWithin = true;
                CauseWithin = cause;
            }
            scope.Cancel(cause);
        }

        public void Check(TaskScope scope, Exception? outcome)
        {
            Assert.Equal(0, Running);
            Assert.True(scope.Context.IsDone);
            Assert.Throws<InvalidOperationException>(() => scope.Go(() => Task.CompletedTask));
            if (Thrown.Count > 0)
            {
                var failed = Assert.IsType<ScopeException>(outcome);
                Assert.Equal(Thrown, failed.InnerExceptions);
                Assert.Equal(Thrown, failed.Failures.Select(static failure => failure.Exception));
                if (!_doneBefore)
                    Assert.Same(Thrown[0], scope.Context.Cause);
            }
            else if (Interrupted && !CanceledWithin)
            {
                Assert.True(outcome is ContextCanceledException or ContextDeadlineExceededException, $"{outcome}");
            }
            else
            {
                Assert.Null(outcome);
            }
            if (CanceledWithin && CauseWithin is not null)
                Assert.Same(CauseWithin, scope.Context.Cause);
        }
    }

    /// <summary>Scopes in scopes, with tasks that end, fail, start others, wait for each other and heed the end or do not, while
    /// they are canceled from within, from without and by deadlines.</summary>
    [Exploration]
    public void Nothing_outlives_a_scope_and_its_outcome_is_what_happened_in_it() => Exploration.Run(async choices =>
    {
        using CancelContext outside = choices.OneIn(3)
            ? Context.WithTimeout(Context.Background, choices.Milliseconds(0, 6))
            : Context.WithCancel(Context.Background);
        bool canceled = choices.OneIn(3);
        if (canceled)
            Go.AfterFunc(choices.Milliseconds(0, 6), () => outside.Cancel());
        try
        {
            await ScopeAsync(choices, outside, depth: 0);
        }
        catch (Exception e) when (e is ScopeException or ContextCanceledException or ContextDeadlineExceededException)
        {
        }
        Assert.Equal(0, outside.ChildCount);
        if (!canceled)
            Assert.DoesNotContain(GoScheduler.Current.Goroutines(), static g => g.SpawnSite.StartsWith("ScopeExploration", StringComparison.Ordinal));
    });

    private static async Task ScopeAsync(Choices choices, Context outside, int depth)
    {
        var record = new Record();
        TaskScope scope = null!;
        Exception? outcome = null;
        try
        {
            if (choices.OneIn(3))
                await UseAsync(choices, outside, depth, record, made => scope = made);
            else
                await TaskScope.RunAsync("scope", outside, made => record.TrackAsync(scope = made, () => BodyAsync(choices, made, record, depth)));
        }
        catch (Exception e)
        {
            outcome = e;
        }
        record.Check(scope, outcome);
        if (outcome is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(outcome);
    }

    // The form with await using, whose block does not throw.
    private static async Task UseAsync(Choices choices, Context outside, int depth, Record record, Action<TaskScope> made)
    {
        await using TaskScope scope = choices.OneIn(3) ? new TaskScope("used", outside.Token) : new TaskScope("used", outside);
        made(scope);
        for (int i = choices.Between(0, 3); i > 0; i--)
            StartTask(choices, scope, record, depth);
        await choices.PauseAsync();
        if (choices.OneIn(4))
            await choices.GivesUpAsync(token => scope.JoinAsync(token));
        await scope.JoinAsync();
    }

    private static async Task BodyAsync(Choices choices, TaskScope scope, Record record, int depth)
    {
        List<ScopeTask<int>> results = [];
        for (int i = choices.Between(0, 4); i > 0; i--)
        {
            if (choices.OneIn(3))
                results.Add(StartResult(choices, scope, record, depth));
            else
                StartTask(choices, scope, record, depth);
            if (choices.OneIn(4))
                await choices.PauseAsync();
        }
        switch (choices.Below(6))
        {
            case 0:
                throw new TestException();
            case 1:
                record.Cancel(scope, choices.CauseOrNone());
                break;
            case 2:
                foreach (ScopeTask<int> result in results)
                    Assert.Equal(7, await result);
                break;
            case 3:
                scope.Context.ThrowIfDone();
                break;
        }
    }

    private static void StartTask(Choices choices, TaskScope scope, Record record, int depth)
    {
        var own = new Choices((uint)choices.Below(int.MaxValue));
        scope.Go(() => record.TrackAsync(scope, () => TaskAsync(own, scope, record, depth)));
    }

    private static ScopeTask<int> StartResult(Choices choices, TaskScope scope, Record record, int depth)
    {
        var own = new Choices((uint)choices.Below(int.MaxValue));
        return scope.Run(async () =>
        {
            await record.TrackAsync(scope, () => TaskAsync(own, scope, record, depth));
            return 7;
        });
    }

    private static async Task TaskAsync(Choices choices, TaskScope scope, Record record, int depth)
    {
        await choices.PauseAsync();
        switch (choices.Below(10))
        {
            case 0:
                throw new TestException();
            case 1:
                await Go.SleepAsync(TimeSpan.FromSeconds(1), scope.Token);
                break;
            case 2 or 3:
                await Go.SleepAsync(choices.Milliseconds(0, 8)); // heeds nothing
                break;
            case 4:
                StartTask(choices, scope, record, depth);
                break;
            case 5:
                record.Cancel(scope, choices.CauseOrNone());
                break;
            case 6:
                for (int i = 0; i < 5; i++)
                {
                    scope.Context.ThrowIfDone();
                    await choices.PauseAsync();
                }
                break;
            case 7 or 8 when depth < 2:
                await ScopeAsync(choices, scope.Context, depth + 1);
                break;
            case 9:
                await new Select().WaitAsync(TimeSpan.FromMilliseconds(4), scope.Token);
                break;
        }
    }

    /// <summary>Groups with and without a limit, tasks that fail, starts that are given up.</summary>
    [Exploration]
    public void An_error_group_keeps_its_limit_and_tells_the_first_error() => Exploration.Run(async choices =>
    {
        int limit = choices.OneIn(3) ? -1 : choices.Between(1, 3);
        ErrGroup group = ErrGroup.WithContext(Context.Background, out Context context, limit);
        int running = 0;
        int started = 0;
        int ended = 0;
        List<Exception> errors = [];
        await choices.TogetherAsync(choices.Between(1, 4), async (_, own) =>
        {
            for (int i = own.Between(1, 5); i > 0; i--)
            {
                var task = new Choices((uint)own.Below(int.MaxValue));
                Task Body() => TaskAsync(task);
                switch (own.Below(3))
                {
                    case 0:
                        bool room = limit < 0 || started - ended < limit;
                        bool got = group.TryGo(Body);
                        Assert.True(room || !got);
                        started += got ? 1 : 0;
                        break;
                    case 1:
                        if (await own.GivesUpAsync(token => group.GoAsync(Body, token)))
                            started++;
                        break;
                    default:
                        await group.GoAsync(Body);
                        started++;
                        break;
                }
                await own.PauseAsync();
            }
        });
        Exception? thrown = await Record(async () => await group.WaitAsync());
        Assert.Equal(started, ended);
        Assert.Same(errors.FirstOrDefault(), thrown);
        Assert.True(context.IsDone);
        Assert.Same(errors.FirstOrDefault() ?? context.Err, context.Cause);
        Assert.Throws<InvalidOperationException>(() => group.TryGo(() => Task.CompletedTask));

        async Task TaskAsync(Choices own)
        {
            running++;
            Assert.True(limit < 0 || running <= limit);
            try
            {
                await own.PauseAsync();
                await own.PauseAsync();
                if (own.OneIn(4))
                {
                    errors.Add(new TestException());
                    throw errors[^1];
                }
            }
            finally
            {
                running--;
                ended++;
            }
        }

        static async Task<Exception?> Record(Func<Task> body) => await Xunit.Record.ExceptionAsync(body);
    });

    [Fact]
    public void A_goroutine_spawned_past_the_scope_is_found() => Exploration.Finds(async choices =>
    {
        int running = 0;
        await TaskScope.RunAsync("scope", Context.Background, scope =>
        {
            for (int i = 0; i < 3; i++)
            {
                scope.Go(async () =>
                {
                    running++;
                    await choices.PauseAsync();
                    if (choices.OneIn(3))
                        Go.Spawn(async () => // the mistake: not the scope's
                        {
                            running++;
                            await choices.PauseAsync();
                            running--;
                        });
                    running--;
                });
            }
            return Task.CompletedTask;
        });
        Assert.Equal(0, running);
    });
}
