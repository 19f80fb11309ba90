namespace NetGo.Scheduler.Tests;

public sealed class SpawnTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task From_outside_and_from_inside_on_a_machine(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        Assert.Null(Machine.OfThisThread);
        const int Outer = 100, Inner = 50;
        int left = Outer * Inner;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (int i = 0; i < Outer; i++)
        {
            scheduler.Spawn(async () =>
            {
                Assert.Same(scheduler, GoScheduler.Current);
                for (int j = 0; j < Inner; j++)
                {
                    Go.Spawn(static state =>
                    {
                        ((Action)state!)();
                        return Task.CompletedTask;
                    }, () =>
                    {
                        if (Machine.OfThisThread?.Scheduler == scheduler && Interlocked.Decrement(ref left) == 0)
                            done.SetResult();
                    });
                    await Go.YieldAsync();
                }
            });
        }
        await done.Task.Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task RunAsync_gives_the_result()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Assert.Equal(42, await scheduler.RunAsync(() => Task.FromResult(42)).Within());
        Assert.Equal(43, await scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            return 43;
        }).Within());
    }

    [Fact]
    public async Task RunAsync_gives_the_exception_thrown_before_or_after_a_wait()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.UnhandledException += (_, e) => Assert.Fail(e.ToString());
        await Assert.ThrowsAsync<FormatException>(() => scheduler.RunAsync((Func<Task>)(() => throw new FormatException())).Within());
        await Assert.ThrowsAsync<FormatException>(() => scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            throw new FormatException();
        }).Within());
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task RunAsync_gives_the_cancellation()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        Task task = scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            source.Token.ThrowIfCancellationRequested();
        });
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.Within());
        Assert.Equal(source.Token, e.CancellationToken);
        Assert.True(task.IsCanceled);
    }

    [Fact]
    public async Task With_one_processor_those_that_yield_take_turns()
    {
        // A hand-off (the thread waits for the JIT, say) lets the rest pass by one of them: only rounds without count.
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        const int Rounds = 50;
        for (int round = 0; round < Rounds; round++)
        {
            long before = scheduler.HandOffCount;
            int worstLead = await scheduler.RunAsync(TakeTurnsAsync).Within();
            if (scheduler.HandOffCount > before)
                continue;
            Assert.InRange(worstLead, 1, 3);
            return;
        }
        Assert.Fail($"A hand-off in each of {Rounds} rounds.");
    }

    private static async Task<int> TakeTurnsAsync()
    {
        const int Goroutines = 5, Turns = 500;
        int[] turns = new int[Goroutines];
        int worstLead = 0;
        WaitGroup start = new(), end = new();
        start.Add(1);
        for (int g = 0; g < Goroutines; g++)
        {
            int i = g;
            end.Go(async () =>
            {
                await start.WaitAsync();
                for (int n = 0; n < Turns; n++)
                {
                    turns[i]++;
                    if (turns[i] < Turns)
                        worstLead = Math.Max(worstLead, turns[i] - turns.Min());
                    await Go.YieldAsync();
                }
            });
        }
        await Go.YieldAsync();
        start.Done();
        await end.WaitAsync();
        return worstLead;
    }

    [Fact]
    public async Task A_chain_of_spawns_does_not_starve_who_waits_on_the_ring()
    {
        // Each link is run next, in the time slice of its spawner: Go's inherited time slice ends, and so must this.
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        bool stop = false;
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Link()
        {
            if (!Volatile.Read(ref stop))
                Go.Spawn(Link);
        }
        scheduler.Spawn(() =>
        {
            Go.Spawn(ran.SetResult);
            Go.Spawn(Link);
        });
        try
        {
            await ran.Task.Within();
        }
        finally
        {
            Volatile.Write(ref stop, true);
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_spawner_that_computes_has_its_children_stolen()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        const int Rounds = 40, Children = 10;
        int onOtherMachine = 0;
        for (int round = 0; round < Rounds; round++)
        {
            await scheduler.RunAsync(() =>
            {
                Machine self = Machine.OfThisThread!;
                int left = Children;
                for (int i = 0; i < Children; i++)
                {
                    Go.Spawn(() =>
                    {
                        if (Machine.OfThisThread != self)
                            Interlocked.Increment(ref onOtherMachine);
                        Interlocked.Decrement(ref left);
                    });
                }
                long end = Environment.TickCount64 + (long)Bounded.Limit.TotalMilliseconds;
                while (Volatile.Read(ref left) > 0 && Environment.TickCount64 < end)
                    Thread.SpinWait(10);
                Assert.Equal(0, left);
                return Task.CompletedTask;
            }).Within();
        }
        Assert.Equal(Rounds * Children, onOtherMachine);
        // Without stealing each round would have needed sysmon to take the spawner's processor.
        Assert.InRange(scheduler.HandOffCount, 0, Rounds / 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_hundred_thousand_that_are_parked_all_wake(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        const int Count = 100_000;
        var gate = new WaitGroup();
        gate.Add(1);
        int started = 0, woken = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                Go.Spawn(async () =>
                {
                    Interlocked.Increment(ref started);
                    await gate.WaitAsync();
                    if (Interlocked.Increment(ref woken) == Count)
                        all.SetResult();
                });
            }
            await Go.YieldAsync();
        }).Within();
        Bounded.Until(() => Volatile.Read(ref started) == Count, "all started");
        Bounded.Until(() => scheduler.AllIdle, "all parked");
        // The one that spawned them may be about to end still, on a machine that has lost its processor.
        Bounded.Until(() => scheduler.GoroutineCount == Count, "all but the first");
        Assert.Equal(0, woken);
        gate.Done();
        await all.Task.Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_body_that_is_cancelled_keeps_its_exception()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var cause = new TimeoutException("why");
        Task<int> task = scheduler.RunAsync<int>(() =>
        {
            using CancelContext context = Context.WithCancel(Context.Background);
            context.Cancel(cause);
            context.ThrowIfDone();
            return Task.FromResult(1);
        });
        var canceled = await Assert.ThrowsAsync<ContextCanceledException>(() => task.Within());
        Assert.Same(cause, canceled.InnerException);
        Assert.True(task.IsCanceled);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task AsyncLocals_flow_into_a_goroutine_and_not_out_of_it()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var local = new AsyncLocal<string?> { Value = "outer" };
        await scheduler.RunAsync(async () =>
        {
            Assert.Equal("outer", local.Value);
            local.Value = "inner";
            await scheduler.RunAsync(async () =>
            {
                Assert.Equal("inner", local.Value);
                await Go.YieldAsync();
                Assert.Equal("inner", local.Value);
                local.Value = "innermost";
            });
            Assert.Equal("inner", local.Value);
        }).Within();
        Assert.Equal("outer", local.Value);
        local.Value = null;

        // A body that is no async method changes the context of its thread for good, unless the machine puts it back.
        string? leaked = "none looked";
        using (ExecutionContext.SuppressFlow())
            scheduler.Spawn(() => local.Value = "leaked");
        Bounded.NoneLeft(scheduler);
        var looked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (ExecutionContext.SuppressFlow())
        {
            scheduler.Spawn(() =>
            {
                leaked = local.Value;
                looked.SetResult();
            });
        }
        await looked.Task.Within();
        Assert.Null(leaked);
    }

    [Fact]
    public async Task Code_that_outlives_its_goroutine_harms_no_other()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var resumedAs = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        async Task Outlive()
        {
            await first.Task;
            resumedAs.SetResult(CurrentId());
        }
        scheduler.Spawn(() =>
        {
            _ = Outlive();
        });
        Bounded.NoneLeft(scheduler);

        // Its object is on the free list now: have it used again, by goroutines that also await something foreign.
        var others = new HashSet<long>();
        int waiting = 0;
        Task users = scheduler.RunAsync(() => Task.WhenAll(Enumerable.Range(0, 100).Select(_ => scheduler.RunAsync(async () =>
        {
            lock (others) // the processor may be handed off
                others.Add(CurrentId());
            Interlocked.Increment(ref waiting);
            await second.Task;
            lock (others)
                Assert.Contains(CurrentId(), others);
        }))));
        Bounded.Until(() => Volatile.Read(ref waiting) == 100 && scheduler.AllIdle, "others wait");
        await Task.Run(first.SetResult);
        await resumedAs.Task.Within();
        second.SetResult();
        await users.Within();
        Bounded.NoneLeft(scheduler);
    }

    private static long CurrentId() => ((Goroutine)SynchronizationContext.Current!).Id;

    [Fact]
    public async Task Identities_are_unique_among_the_living()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        for (int round = 0; round < 20; round++)
        {
            var ids = new System.Collections.Concurrent.ConcurrentDictionary<long, bool>();
            await scheduler.RunAsync(() => Task.WhenAll(Enumerable.Range(0, 200).Select(i => scheduler.RunAsync(async () =>
            {
                long id = CurrentId();
                Assert.True(ids.TryAdd(id, true));
                await (i % 3 == 0 ? Task.Delay(1) : Go.YieldAsync().AsTask());
                Assert.Equal(id, CurrentId());
            })))).Within();
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void A_disposed_scheduler_refuses()
    {
        GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.Dispose();
        scheduler.Dispose();
        Assert.Throws<ObjectDisposedException>(() => scheduler.Spawn(() => { }));
    }

    [Fact]
    public async Task Dispose_stops_goroutines_that_only_yield()
    {
        GoScheduler scheduler = Bounded.NewScheduler(1);
        long turns = 0;
        scheduler.Spawn(async () =>
        {
            while (true)
            {
                Volatile.Write(ref turns, turns + 1);
                await Go.YieldAsync();
            }
        });
        Bounded.Until(() => Volatile.Read(ref turns) > 0, "it runs");
        await Task.Run(scheduler.Dispose).Within();
        Assert.All(scheduler.Processors.ToArray(), p => Assert.Null(p.Machine));
    }

    [Fact]
    public void At_least_one_processor()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Bounded.NewScheduler(0));
    }
}
