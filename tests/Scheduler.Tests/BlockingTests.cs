#pragma warning disable xUnit1031 // blocking is what is tested

using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests;

/// <summary>Go.Blocking, and what becomes of the threads.</summary>
public sealed class BlockingTests
{
    [Fact]
    public async Task Its_processor_goes_on_elsewhere_and_it_comes_back()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var release = new ManualResetEventSlim();
        var states = new List<GoroutineStatus>();
        int threadBefore = 0;
        Task<int> blocked = scheduler.RunAsync(() =>
        {
            threadBefore = Environment.CurrentManagedThreadId;
            Goroutine g = Machine.OfThisThread!.Current!;
            int result = Go.Blocking(() =>
            {
                states.Add(g.Status);
                release.Wait(); // only another goroutine sets it
                return 7;
            });
            states.Add(g.Status);
            Assert.Equal(threadBefore, Environment.CurrentManagedThreadId);
            Assert.Same(g, Machine.OfThisThread!.Current);
            Assert.False(g.IsWired); // out of it, it may run anywhere
            Assert.NotNull(Machine.OfThisThread.Pin(out int previous)); // it has a processor again
            Machine.OfThisThread.Unpin(previous);
            return Task.FromResult(result);
        });
        await scheduler.RunAsync(async () =>
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            release.Set();
        }).Within();
        Assert.Equal(7, await blocked.Within());
        Assert.Equal([GoroutineStatus.Syscall, GoroutineStatus.Running], states);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Short_calls_keep_the_processor()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        int sum = await scheduler.RunAsync(() =>
        {
            int calls = 0;
            for (int i = 0; i < 1000; i++)
                Go.Blocking(() => calls++);
            return Task.FromResult(calls);
        }).Within();
        Assert.Equal(1000, sum);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Without_a_goroutine_it_just_runs()
    {
        bool ran = false;
        Go.Blocking(() => ran = true);
        Assert.True(ran);
        Assert.Equal(3, Go.Blocking(() => 3));
    }

    [Fact]
    public async Task It_nests_and_lets_exceptions_through()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Assert.Equal(5, Go.Blocking(() => Go.Blocking(() => 5)));
            Assert.Throws<TimeoutException>(() => Go.Blocking(() => throw new TimeoutException()));
            Assert.Equal(GoroutineStatus.Running, Machine.OfThisThread!.Current!.Status);
            await Go.YieldAsync();
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Async_code_may_be_waited_for_in_there()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        int result = await scheduler.RunAsync(async () =>
        {
            int sum = 0;
            for (int i = 0; i < 20; i++)
            {
                sum += Go.Blocking(() => LaterAsync().GetAwaiter().GetResult());
                await Go.YieldAsync();
            }
            return sum;
        }).Within();
        Assert.Equal(20, result);
        Bounded.NoneLeft(scheduler);

        static async Task<int> LaterAsync()
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            await Go.YieldAsync();
            return 1;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Many_in_and_out_at_once_lose_nothing(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        int done = 0;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                Go.Blocking(() => SpinFor(TimeSpan.FromMicroseconds((n * 13 + i * 7) % 60)));
                await Go.YieldAsync();
                Interlocked.Increment(ref done);
            }
        }))).WaitAsync(Bounded.StressLimit);
        Assert.Equal(2000, done);
        Bounded.NoneLeft(scheduler);

        static void SpinFor(TimeSpan time)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            while (System.Diagnostics.Stopwatch.GetElapsedTime(start) < time)
                Thread.SpinWait(10);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thousand_blocked_threads_leave_the_others_running(bool declared)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        using var stop = new ManualResetEventSlim();
        int entered = 0;
        Task[] blocked = [.. Enumerable.Range(0, 1000).Select(_ => scheduler.RunAsync(() =>
        {
            Interlocked.Increment(ref entered);
            if (declared)
                Go.Blocking(SleepUntilStopped);
            else
                SleepUntilStopped();
            return Task.CompletedTask;
        }))];
        void SleepUntilStopped()
        {
            while (!stop.IsSet)
                Thread.Sleep(50);
        }
        try
        {
            Bounded.Until(() => Volatile.Read(ref entered) == blocked.Length, "all blocked");
            for (int round = 0; round < 10; round++)
            {
                await Task.WhenAll(Enumerable.Range(0, 100).Select(i => scheduler.RunAsync(async () =>
                {
                    await Go.YieldAsync();
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(i % 3));
                }))).Within();
            }
            Assert.DoesNotContain(blocked, b => b.IsCompleted);
            // One each, two that run, and those that were taken for blocked while the system made the next thread (they wait for work).
            Assert.InRange(scheduler.MachineCount, 1000, 1100);
        }
        finally
        {
            stop.Set();
        }
        await Task.WhenAll(blocked).WaitAsync(Bounded.StressLimit);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Threads_without_work_end_after_a_while()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, MachineIdleTimeout = TimeSpan.FromMilliseconds(50) });
        using var release = new ManualResetEventSlim();
        int entered = 0;
        Task[] blocked = [.. Enumerable.Range(0, 20).Select(_ => scheduler.RunAsync(() =>
        {
            Interlocked.Increment(ref entered);
            Go.Blocking(release.Wait);
            return Task.CompletedTask;
        }))];
        Bounded.Until(() => Volatile.Read(ref entered) == blocked.Length, "all blocked");
        Assert.True(scheduler.MachineCount >= 20);
        release.Set();
        await Task.WhenAll(blocked).Within();
        Bounded.Until(() => scheduler.MachineCount <= 2, "threads end");
        Assert.True(scheduler.MachinesMade >= 20);
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within(); // and it still works
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_limit_of_threads_is_a_clear_failure_and_not_the_end(bool declared)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, MaxMachines = 4 });
        var failure = new TaskCompletionSource<UnhandledGoroutineException>(TaskCreationOptions.RunContinuationsAsynchronously);
        int reports = 0;
        scheduler.UnhandledException += (_, e) =>
        {
            Interlocked.Increment(ref reports);
            failure.TrySetResult(e);
        };
        using var release = new ManualResetEventSlim();
        int entered = 0;
        Task[] blocked = [.. Enumerable.Range(0, 10).Select(_ => scheduler.RunAsync(() =>
        {
            Interlocked.Increment(ref entered);
            if (declared)
                Go.Blocking(release.Wait);
            else
                release.Wait();
            return Task.CompletedTask;
        }))];
        UnhandledGoroutineException report = await failure.Task.Within();
        Assert.IsType<MachineLimitException>(report.InnerException);
        Assert.Contains("MaxMachines = 4", report.Message);
        Bounded.Until(() => Volatile.Read(ref entered) == 4, "all four block"); // one on each thread; the others wait
        Assert.Equal(4, scheduler.MachineCount);
        Assert.Equal(1, reports);
        release.Set();
        await Task.WhenAll(blocked).Within();
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task The_limit_is_nobodys_business_when_nobody_blocks()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 2, MaxMachines = 2 });
        int reports = 0;
        scheduler.UnhandledException += (_, _) => Interlocked.Increment(ref reports);
        bool stop = false;
        int spinning = 0;
        int spins = 0;
        Task SpinAsync()
        {
            Interlocked.Increment(ref spinning);
            do
            {
                Thread.SpinWait(100);
                Interlocked.Increment(ref spins);
            }
            while (!Volatile.Read(ref stop));
            return Task.CompletedTask;
        }
        Volatile.Write(ref stop, true);
        await scheduler.RunAsync(SpinAsync).Within(); // once alone: two who compile it at once wait for each other, which is blocking
        Volatile.Write(ref stop, false);
        Volatile.Write(ref spinning, 0);
        Task[] spinners = [.. Enumerable.Range(0, 2).Select(_ => scheduler.RunAsync(SpinAsync))];
        Bounded.Until(() => Volatile.Read(ref spinning) == 2, "both spin");
        Task other = scheduler.RunAsync(() => Task.CompletedTask);
        int before = Volatile.Read(ref spins);
        Bounded.Until(() => Volatile.Read(ref spins) > before + 200_000, "several time slices pass while it waits");
        scheduler.MaxProcs = 1; // needs no thread either
        Bounded.Until(() => scheduler.AllProcessors[1].Phase == ProcessorPhase.Retired, "taken");
        Volatile.Write(ref stop, true);
        await Task.WhenAll([.. spinners, other]).Within();
        Assert.Equal(0, reports);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { MaxProcs = 4, MaxMachines = 3 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { MachineIdleTimeout = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { MachineIdleTimeout = TimeSpan.FromDays(25) }));
        new GoScheduler(new SchedulerOptions { MachineIdleTimeout = Timeout.InfiniteTimeSpan }).Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { MaxProcs = 0 }));
        Assert.Equal(10_000, new SchedulerOptions().MaxMachines);
        Assert.Equal(TimeSpan.FromSeconds(30), new SchedulerOptions().MachineIdleTimeout);
    }

    [Fact]
    public void A_thread_that_is_wanted_at_the_moment_of_its_time_out_does_not_end()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 1, MachineIdleTimeout = TimeSpan.FromMilliseconds(20) });
        Machine idle = scheduler.ReserveMachine()!;
        idle.Resume(null);
        Bounded.Until(TakenInTime, "it is taken between its time-out and its leave");
        Assert.False(SpinWait.SpinUntil(() => idle.HasEnded, TimeSpan.FromMilliseconds(50)), "It ended, and would have been given a processor.");
        idle.Resume(null);
        Bounded.Until(() => idle.HasEnded, "its next time-out");

        bool TakenInTime()
        {
            using (LockOf(scheduler).EnterScope())
            {
                if (IdleMachinesOf(scheduler) != idle)
                    return false;
                long waits = Monitor.LockContentionCount;
                Bounded.Until(() => Monitor.LockContentionCount > waits, "it wants the lock, to leave");
                return scheduler.ReserveMachine() == idle;
            }
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_lock")]
    private static extern ref Lock LockOf(GoScheduler scheduler);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_idleMachines")]
    private static extern ref Machine? IdleMachinesOf(GoScheduler scheduler);
}
