#pragma warning disable xUnit1031 // blocking is what is tested

namespace NetGo.Scheduler.Tests;

/// <summary>With one processor, a goroutine that blocks or computes must not stop the others.</summary>
public sealed class HandOffTests
{
    [Theory]
    [InlineData("sleep")]
    [InlineData("event")]
    [InlineData("lock")]
    [InlineData("result")]
    [InlineData("read")]
    public async Task A_blocked_goroutine_does_not_stop_the_others(string how)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var release = new ManualResetEventSlim();
        var released = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        using var pipeEnd = new System.IO.Pipes.AnonymousPipeClientStream(pipe.GetClientHandleAsString());
        object monitor = new();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task blocked;
        Monitor.Enter(monitor);
        try
        {
            blocked = scheduler.RunAsync(() =>
            {
                entered.SetResult();
                switch (how)
                {
                    case "sleep":
                        while (!release.IsSet)
                            Thread.Sleep(100);
                        break;
                    case "event":
                        release.Wait();
                        break;
                    case "lock":
                        lock (monitor)
                            return Task.CompletedTask;
                    case "result":
                        _ = released.Task.Result;
                        break;
                    case "read":
                        _ = pipeEnd.ReadByte();
                        break;
                }
                return Task.CompletedTask;
            });
            Assert.True(entered.Task.Wait(Bounded.Limit));
            Assert.True(OthersAsync(scheduler).Wait(Bounded.Limit), "the others did not run");
            Assert.False(blocked.IsCompleted);
            Assert.True(scheduler.HandOffCount > 0);
        }
        finally
        {
            Monitor.Exit(monitor);
            release.Set();
            released.SetResult(1);
            pipe.WriteByte(1);
        }
        await blocked.Within();
        await OthersAsync(scheduler).Within();
        Bounded.NoneLeft(scheduler);
    }

    private static Task OthersAsync(GoScheduler scheduler) =>
        Task.WhenAll(Enumerable.Range(0, 100).Select(i => scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(i % 5));
            await Task.Run(() => { });
        })));

    [Fact]
    public async Task Many_may_block_at_once()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var release = new ManualResetEventSlim();
        int entered = 0;
        Task[] blocked = [.. Enumerable.Range(0, 50).Select(_ => scheduler.RunAsync(() =>
        {
            Interlocked.Increment(ref entered);
            release.Wait();
            return Task.CompletedTask;
        }))];
        Bounded.Until(() => Volatile.Read(ref entered) == blocked.Length, "all blocked");
        await OthersAsync(scheduler).Within();
        release.Set();
        await Task.WhenAll(blocked).Within();
        Bounded.NoneLeft(scheduler);
        int machines = scheduler.MachineCount;
        Assert.InRange(machines, 51, 60);
        await OthersAsync(scheduler).Within();
        Assert.InRange(scheduler.MachineCount, machines, machines + 2); // those that have nothing to do are used again
    }

    [Fact]
    public async Task A_goroutine_that_computes_does_not_stop_those_that_are_ready()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var spin = new Spinner(scheduler);
        await OthersAsync(scheduler).Within();
        Assert.True(spin.IsSpinning);
        Assert.True(scheduler.HandOffCount > 0);
    }

    [Fact]
    public async Task A_goroutine_that_computes_does_not_stop_those_that_sleep()
    {
        // The only other goroutine is on the timer heap: no queue holds anything.
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var woke = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool stop = false;
        scheduler.Spawn(async () =>
        {
            Go.Spawn(() =>
            {
                while (!Volatile.Read(ref stop))
                    Thread.SpinWait(20);
            });
            await Go.SleepAsync(TimeSpan.FromMilliseconds(20));
            woke.SetResult();
        });
        try
        {
            await woke.Task.Within();
        }
        finally
        {
            Volatile.Write(ref stop, true);
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Code_that_blocks_on_async_code_that_parks_does_not_deadlock()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        int result = await scheduler.RunAsync(() =>
        {
            int sum = NumberAsync().Result;
            sum += NumberAsync().GetAwaiter().GetResult();
            return Task.FromResult(sum);
        }).Within();
        Assert.Equal(14, result);
        result = await scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            int sum = NumberAsync().Result;
            await Go.YieldAsync();
            return sum + NumberAsync().Result;
        }).Within();
        Assert.Equal(14, result);
        Bounded.NoneLeft(scheduler);
    }

    private static async Task<int> NumberAsync()
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(2));
        await Task.Delay(1);
        await Go.YieldAsync();
        return 7;
    }

    [Fact]
    public async Task A_goroutine_goes_on_after_its_processor_was_taken()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 5; i++)
            {
                long before = scheduler.HandOffCount;
                Bounded.Until(() => scheduler.HandOffCount > before, "hand-off"); // sleeps between looks
                var child = scheduler.RunAsync(async () => await Go.YieldAsync());
                await Go.YieldAsync();
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                await child;
                Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
            }
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_processor_taken_at_any_moment_is_never_lost(int processors)
    {
        // A second sysmon that takes processors from whoever runs user code as fast as it can.
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        bool stop = false;
        long taken = 0;
        var greedy = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                foreach (Processor p in scheduler.Processors)
                {
                    if (p.Machine is not { } machine || machine.IsPinned)
                        continue;
                    Machine next = scheduler.ReserveMachine()!;
                    if (machine.TryTakeProcessor(p))
                    {
                        taken++;
                        GoScheduler.GiveToMachine(p, next);
                    }
                    else
                    {
                        scheduler.Unreserve(next);
                    }
                }
            }
        })
        { IsBackground = true };
        greedy.Start();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => scheduler.RunAsync(async () =>
            {
                for (int i = 0; i < 50_000; i++)
                {
                    await Go.YieldAsync();
                    if (i % 100 == 0)
                        Go.Spawn(static () => { });
                }
            }))).WaitAsync(Bounded.StressLimit);
        }
        finally
        {
            Volatile.Write(ref stop, true);
            greedy.Join();
        }
        Assert.True(taken > 0);
        Bounded.NoneLeft(scheduler);
        await OthersAsync(scheduler).Within();
    }

    /// <summary>A goroutine that computes until it is disposed.</summary>
    private sealed class Spinner : IDisposable
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _end;
        private volatile bool _stop;

        public Spinner(GoScheduler scheduler)
        {
            _end = scheduler.RunAsync(() =>
            {
                _started.SetResult();
                while (!_stop)
                    Thread.SpinWait(20);
                return Task.CompletedTask;
            });
            Assert.True(_started.Task.Wait(Bounded.Limit));
        }

        public bool IsSpinning => !_end.IsCompleted;

        public void Dispose()
        {
            _stop = true;
            Assert.True(_end.Wait(Bounded.Limit));
        }
    }
}
