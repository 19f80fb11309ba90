namespace NetGo.Scheduler.Tests;

public sealed class LockOSThreadTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_locked_goroutine_stays_on_its_thread_and_others_stay_off(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        int lockedThread = 0;
        bool stop = false;
        Task others = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => scheduler.RunAsync(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                Assert.NotEqual(Volatile.Read(ref lockedThread), Environment.CurrentManagedThreadId);
                await Go.YieldAsync();
                if (Random.Shared.Next(50) == 0)
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            }
        })));
        Channel<int> channel = Channel.Make<int>();
        scheduler.Spawn(async () =>
        {
            for (int i = 0; i < 50; i++)
                await channel.SendAsync(i);
        });
        await scheduler.RunAsync(async () =>
        {
            await Go.YieldAsync();
            Go.LockOSThread();
            int thread = Environment.CurrentManagedThreadId;
            Volatile.Write(ref lockedThread, thread);
            for (int i = 0; i < 50; i++)
            {
                await Go.YieldAsync();
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                await channel.ReceiveAsync();
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                await Task.Yield();
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                Go.Blocking(() => Thread.Sleep(1));
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
            }
            Volatile.Write(ref lockedThread, 0);
            Go.UnlockOSThread();
        }).WaitAsync(Bounded.StressLimit);
        Volatile.Write(ref stop, true);
        await others.Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_goroutine_that_ends_locked_takes_its_thread_along()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Thread thread = await scheduler.RunAsync(async () =>
        {
            Go.LockOSThread();
            await Go.YieldAsync();
            return Thread.CurrentThread;
        }).Within();
        Bounded.Until(() => !thread.IsAlive, "the thread ends");
        await scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Bounded.NoneLeft(scheduler);
        Assert.Equal(scheduler.MachinesMade - 1, scheduler.MachineCount);
    }

    [Fact]
    public async Task It_ends_even_when_the_body_completes_elsewhere()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var end = new TaskCompletionSource();
        Thread? thread = null;
        scheduler.Spawn(() =>
        {
            Go.LockOSThread();
            thread = Thread.CurrentThread;
            return end.Task;
        });
        Bounded.Until(() => Volatile.Read(ref thread) is not null, "it runs");
        await Task.Run(end.SetResult).Within();
        Bounded.Until(() => !thread!.IsAlive, "the thread ends");
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task It_is_counted_and_misuse_is_an_error()
    {
        Assert.Throws<InvalidOperationException>(Go.LockOSThread);
        Assert.Throws<InvalidOperationException>(Go.UnlockOSThread);
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () =>
        {
            Assert.Throws<InvalidOperationException>(Go.UnlockOSThread);
            Go.LockOSThread();
            Go.LockOSThread();
            int thread = Environment.CurrentManagedThreadId;
            Go.UnlockOSThread();
            await Go.YieldAsync();
            Assert.Equal(thread, Environment.CurrentManagedThreadId); // still locked once
            Go.UnlockOSThread();
            Assert.Throws<InvalidOperationException>(Go.UnlockOSThread);
            await Go.YieldAsync();
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Many_locked_ones_work_beside_each_other()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Channel<int>[] ring = [.. Enumerable.Range(0, 10).Select(_ => Channel.Make<int>())];
        var threads = new HashSet<int>();
        Task all = Task.WhenAll(Enumerable.Range(0, ring.Length).Select(n => scheduler.RunAsync(async () =>
        {
            Go.LockOSThread();
            int thread = Environment.CurrentManagedThreadId;
            lock (threads)
                Assert.True(threads.Add(thread));
            for (int i = 0; i < 100; i++)
            {
                int token = (await ring[n].ReceiveAsync()).Value;
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                if (token < 990 || n != ring.Length - 1)
                    await ring[(n + 1) % ring.Length].SendAsync(token + 1);
            }
            Go.UnlockOSThread();
        })));
        scheduler.Spawn(async () => await ring[0].SendAsync(0));
        await all.WaitAsync(Bounded.StressLimit);
        Bounded.NoneLeft(scheduler);
    }

    // What is awaited may complete before the goroutine is at rest: the code then goes on on a branch.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Foreign_awaits_before_and_between_change_nothing(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 500; i++)
            {
                await Task.Run(static () => { });
                Go.LockOSThread();
                int thread = Environment.CurrentManagedThreadId;
                Go.SetDeadline(TimeSpan.FromDays(1));
                for (int k = 0; k < 3; k++)
                {
                    await Task.Run(static () => { });
                    Assert.Equal(thread, Environment.CurrentManagedThreadId);
                    Assert.NotNull(Machine.OfThisThread!.Current!.Deadline);
                    await Go.YieldAsync();
                    Assert.Equal(thread, Environment.CurrentManagedThreadId);
                }
                Go.UnlockOSThread();
                Go.SetDeadline(Timeout.InfiniteTimeSpan);
            }
        }))).WaitAsync(TimeSpan.FromSeconds(60));
        Bounded.NoneLeft(scheduler);
        Assert.Equal(scheduler.MachinesMade, scheduler.MachineCount); // no thread has ended with a goroutine
    }

    [Fact]
    public async Task What_is_posted_while_it_runs_waits_for_it_and_takes_no_processor()
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(2);
        const int rounds = 100;
        int posted = 0;
        await scheduler.RunAsync(async () =>
        {
            Go.LockOSThread();
            int thread = Environment.CurrentManagedThreadId;
            SynchronizationContext here = SynchronizationContext.Current!;
            for (int i = 0; i < rounds; i++)
            {
                bool ran = false;
                Task post = Task.Run(() =>
                {
                    here.Post(_ =>
                    {
                        Assert.Equal(thread, Environment.CurrentManagedThreadId);
                        posted++;
                    }, null);
                    scheduler.Spawn(() => Volatile.Write(ref ran, true)); // behind it on the queue
                });
                // Without a wait: it has its processor all the while, and the other one brings it the post.
                long start = Environment.TickCount64;
                while (!Volatile.Read(ref ran))
                {
                    Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds / 2, "the other processor is lost");
                    Thread.SpinWait(50);
                }
                await post;
                for (int turn = 0; turn < 1000 && posted == i; turn++)
                    await Go.YieldAsync();
                Assert.Equal(i + 1, posted);
            }
            Go.UnlockOSThread();
        }).WaitAsync(2 * Bounded.Limit);
        Bounded.NoneLeft(scheduler);
        Assert.Equal(rounds, posted);
    }
}
