namespace NetGo.Scheduler.Tests.Scopes;

public sealed class TaskScopeTests
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
    public Task Nothing_outlives_the_scope(int processors) => OnScheduler(processors, async () =>
    {
        int ended = 0;
        await TaskScope.RunAsync("root", Context.Background, scope =>
        {
            for (int i = 0; i < 10; i++)
            {
                scope.Go(async () =>
                {
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                    scope.Go(async () =>
                    {
                        await Go.YieldAsync();
                        Interlocked.Increment(ref ended);
                    });
                });
            }
            return Task.CompletedTask;
        });
        Assert.Equal(10, ended);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Results_come_back(int processors) => OnScheduler(processors, async () =>
    {
        int sum = await TaskScope.RunAsync("root", Context.Background, async scope =>
        {
            ScopeTask<int>[] parts = [.. Enumerable.Range(1, 100).Select(i => scope.Run(async () =>
            {
                await Go.YieldAsync();
                return i;
            }))];
            int sum = 0;
            foreach (ScopeTask<int> part in parts)
                sum += await part + (await part.WaitAsync() - await part);
            Assert.All(parts, part => Assert.True(part.IsCompleted));
            return sum;
        });
        Assert.Equal(5050, sum);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task The_first_failure_cancels_the_rest_and_is_reported_with_its_path(int processors) => OnScheduler(processors, async () =>
    {
        int canceled = 0;
        var failure = new ArithmeticException("no");
        Exception? cause = null;
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("root", Context.Background, scope =>
        {
            for (int i = 0; i < 3; i++)
            {
                scope.Go(async () =>
                {
                    await scope.Context.WaitDoneAsync();
                    Interlocked.Increment(ref canceled);
                    cause = scope.Context.Cause;
                    scope.Context.ThrowIfDone();
                });
            }
            scope.Go(async () =>
            {
                await Go.YieldAsync();
                throw failure;
            }, "bad");
            return Task.CompletedTask;
        }));
        Assert.Equal(3, canceled);
        Assert.Same(failure, Assert.Single(e.InnerExceptions));
        Assert.Equal(new ScopeFailure("root/bad", failure), Assert.Single(e.Failures));
        Assert.Same(failure, cause);
        Assert.Contains("root/bad", e.Message, StringComparison.Ordinal);
    });

    [Fact]
    public Task All_failures_are_reported_the_first_first() => OnScheduler(1, async () =>
    {
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("root", Context.Background, async scope =>
        {
            scope.Go(async () =>
            {
                await scope.Context.WaitDoneAsync();
                throw new InvalidOperationException("the clean-up failed");
            }, "second");
            scope.Go(() => throw new ArithmeticException(), "first");
            await scope.Context.WaitDoneAsync();
            throw new FormatException();
        }));
        Assert.Equal("root/first", e.Failures[0].Path);
        Assert.Equal(["root", "root/second"], e.Failures.Skip(1).Select(f => f.Path).Order());
        Assert.Equal(3, e.InnerExceptions.Count);
    });

    [Fact]
    public Task A_failure_that_the_body_awaits_is_reported_once() => OnScheduler(1, async () =>
    {
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("root", Context.Background, async scope =>
            await scope.Run<int>(async () =>
            {
                await Go.YieldAsync();
                throw new ArithmeticException();
            }, "part")));
        Assert.Equal("root/part", Assert.Single(e.Failures).Path);
    });

    [Fact]
    public Task A_body_that_throws_cancels_the_tasks_and_waits_for_them() => OnScheduler(1, async () =>
    {
        bool ended = false;
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("root", Context.Background, scope =>
        {
            scope.Go(async () =>
            {
                await scope.Context.WaitDoneAsync();
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                ended = true;
            });
            throw new FormatException();
        }));
        Assert.True(ended);
        Assert.IsType<FormatException>(Assert.Single(e.InnerExceptions));
        Assert.Equal("root", Assert.Single(e.Failures).Path);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Canceled_from_outside_it_throws_the_cancellation(int processors) => OnScheduler(processors, async () =>
    {
        using CancelContext outside = Context.WithCancel(Context.Background);
        var cause = new ArithmeticException();
        Task run = TaskScope.RunAsync("root", outside, scope =>
        {
            scope.Go(async () =>
            {
                await scope.Context.WaitDoneAsync();
                scope.Context.ThrowIfDone();
            });
            return Task.CompletedTask;
        });
        await Go.YieldAsync();
        Assert.False(run.IsCompleted);
        outside.Cancel(cause);
        var e = await Assert.ThrowsAsync<ContextCanceledException>(() => run);
        Assert.Same(cause, e.InnerException);
        Assert.Equal(0, outside.ChildCount);
    });

    [Fact]
    public Task An_outer_deadline_is_no_failure_either() => OnScheduler(1, async () =>
    {
        using CancelContext outside = Context.WithTimeout(Context.Background, TimeSpan.FromMilliseconds(3));
        await Assert.ThrowsAsync<ContextDeadlineExceededException>(() => TaskScope.RunAsync("root", outside, async scope =>
        {
            scope.Go(async () => await Task.Delay(Timeout.Infinite, scope.Token)); // throws an OperationCanceledException
            await scope.Context.WaitDoneAsync();
            scope.Context.ThrowIfDone();
        }));
    });

    [Fact]
    public Task Canceled_from_outside_with_nobody_minding_it_ends_well() => OnScheduler(1, async () =>
    {
        using CancelContext outside = Context.WithCancel(Context.Background);
        int result = await TaskScope.RunAsync("root", outside, async scope =>
        {
            outside.Cancel();
            return await scope.Run(() => Task.FromResult(3));
        });
        Assert.Equal(3, result);
    });

    [Fact]
    public Task Canceled_from_within_it_ends_quietly() => OnScheduler(1, async () =>
    {
        await TaskScope.RunAsync("root", Context.Background, async scope =>
        {
            scope.Go(async () => await Task.Delay(Timeout.Infinite, scope.Token));
            await Go.YieldAsync();
            scope.Cancel();
            scope.Context.ThrowIfDone();
        });
        await Assert.ThrowsAsync<ContextCanceledException>(() => TaskScope.RunAsync<int>("root", Context.Background, scope =>
        {
            scope.Cancel();
            scope.Context.ThrowIfDone();
            return Task.FromResult(0);
        }));
    });

    [Fact]
    public Task A_cancellation_that_nobody_asked_for_is_a_failure() => OnScheduler(1, async () =>
    {
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("root", Context.Background, scope =>
        {
            scope.Go(() => throw new OperationCanceledException());
            return Task.CompletedTask;
        }));
        Assert.IsType<OperationCanceledException>(Assert.Single(e.InnerExceptions));
    });

    [Fact]
    public Task A_token_cancels_a_scope() => OnScheduler(1, async () =>
    {
        using var source = new CancellationTokenSource();
        await using var scope = new TaskScope("root", source.Token);
        scope.Go(async () =>
        {
            await scope.Context.WaitDoneAsync();
            scope.Context.ThrowIfDone();
        });
        source.Cancel();
        await Assert.ThrowsAsync<ContextCanceledException>(async () => await scope.JoinAsync());
    });

    [Fact]
    public Task Nothing_starts_in_a_scope_that_has_ended() => OnScheduler(1, async () =>
    {
        var scope = new TaskScope("root", Context.Background);
        await using (scope)
        {
            scope.Go(() => Task.CompletedTask);
            await scope.JoinAsync();
        }
        Assert.Throws<InvalidOperationException>(() => scope.Go(() => Task.CompletedTask));
        Assert.Throws<InvalidOperationException>(() => scope.Run(() => Task.FromResult(1)));
        Assert.True(scope.Context.IsDone);
    });

    [Fact]
    public void A_scope_must_have_a_name()
    {
        using CancelContext context = Context.WithCancel(Context.Background);
        Assert.Throws<ArgumentException>(() => new TaskScope("", context));
        Assert.Equal(0, context.ChildCount);
    }

    [Fact]
    public Task Left_without_a_join_it_cancels_and_waits() => OnScheduler(1, async () =>
    {
        bool ended = false;
        await Assert.ThrowsAsync<FormatException>(async () =>
        {
            await using var scope = new TaskScope("root", Context.Background);
            scope.Go(async () =>
            {
                await scope.Context.WaitDoneAsync();
                await Go.YieldAsync();
                ended = true;
                scope.Context.ThrowIfDone();
            });
            throw new FormatException();
        });
        Assert.True(ended);
    });

    [Fact]
    public Task Left_without_a_join_it_reports_what_has_failed() => OnScheduler(1, () => Assert.ThrowsAsync<ScopeException>(async () =>
    {
        await using var scope = new TaskScope("root", Context.Background);
        scope.Go(() => throw new ArithmeticException());
        await scope.Context.WaitDoneAsync();
    }));

    [Fact]
    public Task A_join_withdrawn_leaves_the_tasks_running() => OnScheduler(1, async () =>
    {
        using var source = new CancellationTokenSource();
        await using var scope = new TaskScope("root", Context.Background);
        Channel<bool> go = Channel.Make<bool>();
        scope.Go(async () => await go.ReceiveAsync());
        Go.Spawn(source.Cancel);
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await scope.JoinAsync(source.Token));
        Assert.Equal(source.Token, e.CancellationToken);
        Assert.False(scope.Context.IsDone);
        await go.SendAsync(true);
        await scope.JoinAsync();
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
            await TaskScope.RunAsync("root", Context.Background, scope =>
            {
                scope.Go(async () => await end.ReceiveAsync());
                return Task.CompletedTask;
            });
        });
        Bounded.Until(() => Volatile.Read(ref waiter)?.WaitReason == WaitReason.Scope, "a goroutine parked with reason Scope");
        end.Close();
        await run.Within();
    }

    [Fact]
    public Task Paths_append_in_nested_scopes_and_tasks_and_end_with_them() => OnScheduler(1, async () =>
    {
        Assert.Null(TaskScope.CurrentPath);
        await TaskScope.RunAsync("root", Context.Background, async root =>
        {
            Assert.Equal("root", TaskScope.CurrentPath);
            string? inTask = await root.Run(async () =>
            {
                await Go.YieldAsync();
                await using var inner = new TaskScope("fetch", root.Context);
                Assert.Equal("root/import/fetch", TaskScope.CurrentPath);
                ScopeTask<string?> part = inner.Run(() => Task.FromResult(TaskScope.CurrentPath), "part-3");
                Assert.Equal("root/import/fetch/part-3", part.Path);
                string? path = await part;
                await inner.JoinAsync();
                return path;
            }, "import");
            Assert.Equal("root/import/fetch/part-3", inTask);
            Assert.Equal("root/1", await root.Run(() => Task.FromResult(TaskScope.CurrentPath)));
            Assert.Equal("root/2", await root.Run(() => Task.FromResult(TaskScope.CurrentPath)));
            await using (var second = new TaskScope("second", root.Context))
                Assert.Equal("root/second", second.Path);
            Assert.Equal("root", TaskScope.CurrentPath);
        });
        Assert.Null(TaskScope.CurrentPath);
    });

    [Fact]
    public Task A_failure_in_a_nested_scope_ends_the_outer_one() => OnScheduler(1, async () =>
    {
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("outer", Context.Background, async outer =>
        {
            outer.Go(async () =>
            {
                await outer.Context.WaitDoneAsync();
                outer.Context.ThrowIfDone();
            });
            await TaskScope.RunAsync("inner", outer.Context, inner =>
            {
                inner.Go(() => throw new ArithmeticException());
                return Task.CompletedTask;
            });
        }));
        Assert.IsType<ArithmeticException>(Assert.Single(e.Flatten().InnerExceptions));
        Assert.Equal("outer", Assert.Single(e.Failures).Path);
    });

    [Fact]
    public Task What_the_tokens_callbacks_throw_is_a_failure_too() => OnScheduler(1, async () =>
    {
        var e = await Assert.ThrowsAsync<ScopeException>(() => TaskScope.RunAsync("root", Context.Background, scope =>
        {
            scope.Token.Register(() => throw new FormatException());
            scope.Go(() => throw new ArithmeticException());
            return Task.CompletedTask;
        }));
        Assert.Equal([typeof(ArithmeticException), typeof(FormatException)], e.InnerExceptions.Select(x => x.GetType()));
    });

    [Fact]
    public async Task Works_on_a_thread_that_runs_no_goroutine()
    {
        int result = await TaskScope.RunAsync("root", Context.Background, async scope =>
        {
            ScopeTask<int> part = scope.Run(async () =>
            {
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                return 4;
            });
            return await part;
        }).Within();
        Assert.Equal(4, result);
    }

    [Fact]
    public Task Many_scopes_with_random_failures_end_and_leave_nothing() => OnScheduler(2, async () =>
    {
        int seed = Environment.TickCount;
        using CancelContext root = Context.WithCancel(Context.Background);
        int wrong = 0;
        var group = new WaitGroup();
        for (int i = 0; i < 300; i++)
        {
            var random = new Random(seed + i);
            int[] kinds = [.. Enumerable.Range(0, 8).Select(_ => random.Next(12))];
            group.Go(async () =>
            {
                int running = 0;
                bool failed = false;
                try
                {
                    await TaskScope.RunAsync("s", root, scope =>
                    {
                        foreach (int kind in kinds)
                        {
                            Interlocked.Increment(ref running);
                            scope.Go(async () =>
                            {
                                try
                                {
                                    await Go.YieldAsync();
                                    if (kind == 0)
                                        throw new ArithmeticException();
                                    if (kind < 4)
                                        await Go.SleepAsync(TimeSpan.FromMicroseconds(kind * 100));
                                    scope.Context.ThrowIfDone();
                                }
                                finally
                                {
                                    Interlocked.Decrement(ref running);
                                }
                            });
                        }
                        return Task.CompletedTask;
                    });
                }
                catch (ScopeException e)
                {
                    failed = e.InnerExceptions.All(x => x is ArithmeticException);
                }
                if (running != 0 || failed != kinds.Contains(0))
                    Interlocked.Increment(ref wrong);
            });
        }
        await group.WaitAsync();
        Assert.True(wrong == 0, $"{wrong} scopes ended wrongly with seed {seed}.");
        Assert.Equal(0, root.ChildCount);
    });
}
