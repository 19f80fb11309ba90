#pragma warning disable xUnit1031 // blocking is what is tested

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using BclChannel = System.Threading.Channels.Channel;

namespace NetGo.Scheduler.Tests;

/// <summary>What .NET code may do inside of a goroutine, and what goroutines are to .NET code: tasks.</summary>
public sealed class InteropTests
{
    private static readonly AsyncLocal<string?> s_local = new();

    /// <summary>Runs a body on a scheduler of its own, and sees that nothing of it is left.</summary>
    private static async Task OnAsync(int processors, Func<GoScheduler, Task> body)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(() => body(scheduler)).Within();
        Bounded.NoneLeft(scheduler);
    }

    private static Goroutine Here => Assert.IsType<Goroutine>(SynchronizationContext.Current);

    // ---- Awaiting what is not NetGo's ----

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Files_and_sockets_come_back(int processors) => OnAsync(processors, async scheduler =>
    {
        Goroutine here = Here;
        string path = Path.GetTempFileName();
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous | FileOptions.DeleteOnClose))
        {
            await file.WriteAsync(new byte[5000]);
            AssertBack();
            file.Position = 0;
            Assert.Equal(5000, await file.ReadAtLeastAsync(new byte[6000], 5000));
            AssertBack();
        }
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<TcpClient> accepting = listener.AcceptTcpClientAsync();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        AssertBack();
        using TcpClient server = await accepting;
        AssertBack();
        ValueTask<int> reading = server.GetStream().ReadAsync(new byte[10]);
        await Go.YieldAsync();
        await client.GetStream().WriteAsync(new byte[3]);
        Assert.Equal(3, await reading);
        AssertBack();

        void AssertBack()
        {
            Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
            Assert.Same(here, SynchronizationContext.Current);
        }
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Channels_of_dotnet_come_back(bool synchronously) => OnAsync(1, async scheduler =>
    {
        var channel = BclChannel.CreateBounded<int>(
            new System.Threading.Channels.BoundedChannelOptions(1) { AllowSynchronousContinuations = synchronously });
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; i < 500; i++)
                await channel.Writer.WriteAsync(i);
            channel.Writer.Complete();
        });
        Goroutine here = Here;
        int expected = 0;
        await foreach (int value in channel.Reader.ReadAllAsync())
        {
            Assert.Equal(expected++, value);
            Assert.Same(here, SynchronizationContext.Current);
            Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        }
        Assert.Equal(500, expected);
        await writer;
    });

    [Fact]
    public Task Async_streams_may_wait_for_both_kinds() => OnAsync(1, async scheduler =>
    {
        async IAsyncEnumerable<int> Numbers([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            for (int i = 0; i < 3; i++)
            {
                await Task.Delay(1, cancellationToken);
                yield return 2 * i;
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1), cancellationToken);
                yield return 2 * i + 1;
            }
        }
        List<int> seen = [];
        await foreach (int number in Numbers())
        {
            seen.Add(number);
            Assert.NotNull(Machine.OfThisThread);
            await Go.YieldAsync();
        }
        Assert.Equal([0, 1, 2, 3, 4, 5], seen);
        await foreach (int number in Numbers().ConfigureAwait(false))
            seen.Add(number);
        Assert.Equal(12, seen.Count);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task WhenAll_and_WhenAny_over_goroutines(int processors) => OnAsync(processors, async scheduler =>
    {
        Channel<bool> never = Channel.Make<bool>();
        Task slow = Go.RunAsync(async () => await never.ReceiveAsync());
        Task<int>[] quick = [.. Enumerable.Range(0, 50).Select(i => Go.RunAsync(async () =>
        {
            if (i % 2 == 0)
                await Go.YieldAsync();
            else
                await Task.Delay(1);
            return i;
        }))];
        Task first = await Task.WhenAny([slow, .. quick]);
        Assert.Contains(first, quick);
        Assert.Equal(Enumerable.Range(0, 50), await Task.WhenAll(quick));
        await foreach (Task<int> ended in Task.WhenEach(quick))
            Assert.True(ended.IsCompletedSuccessfully);
        Assert.NotNull(Machine.OfThisThread);
        never.Close();
        await slow;
    });

    [Fact]
    public Task Parallel_loops_and_started_tasks_may_use_goroutines() => OnAsync(1, async scheduler =>
    {
        Channel<int> results = Channel.Make<int>(100);
        await Parallel.ForEachAsync(Enumerable.Range(1, 20), async (i, cancellationToken) =>
        {
            Assert.Null(Machine.OfThisThread);
            await scheduler.RunAsync(async () => await Go.YieldAsync());
            await results.SendAsync(i, cancellationToken);
        });
        Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        Parallel.For(21, 31, i => Assert.True(results.TrySend(i)));
        Task<int> started = Task.Factory.StartNew(
            () => scheduler.RunAsync(async () =>
            {
                await Go.YieldAsync();
                return 31;
            }).Result,
            CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Current);
        await results.SendAsync(await started);
        Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        results.Close();
        int sum = 0;
        await foreach (int i in results)
            sum += i;
        Assert.Equal(31 * 32 / 2, sum);
    });

    [Fact]
    public Task A_goroutine_is_a_place_to_post_to() => OnAsync(1, async scheduler =>
    {
        Goroutine here = Here;
        var posted = TaskScheduler.FromCurrentSynchronizationContext();
        Task<Goroutine> task = Task.Factory.StartNew(() => Here, CancellationToken.None, TaskCreationOptions.None, posted);
        Assert.Same(here, await task);
        Goroutine continued = await Task.Run(() => { }).ContinueWith(
            _ => Here, CancellationToken.None, TaskContinuationOptions.None, posted);
        Assert.Same(here, continued);
        Goroutine nested = await Task.Factory.StartNew(
            async () =>
            {
                await Go.YieldAsync();
                await Task.Delay(1);
                return Here;
            },
            CancellationToken.None, TaskCreationOptions.None, posted).Unwrap();
        Assert.Same(here, nested);

        var reported = new TaskCompletionSource<GoScheduler?>(TaskCreationOptions.RunContinuationsAsynchronously);
        IProgress<int> progress = new Progress<int>(_ => reported.SetResult(Machine.OfThisThread?.Scheduler));
        await Task.Run(() => progress.Report(1));
        Assert.Same(scheduler, await reported.Task);
    });

    // ---- Blocking ----

    [Fact]
    public Task Results_of_results_of_results_do_not_deadlock() => OnAsync(1, async scheduler =>
    {
        Assert.Equal(3, LevelAsync(3).Result);
        Assert.Equal(3, Go.RunAsync(() => LevelAsync(3)).GetAwaiter().GetResult());
        Task end = Go.RunAsync(() => LevelAsync(3));
        end.Wait();
        await Go.YieldAsync();
        Assert.Equal(3, LevelAsync(3).Result);

        static async Task<int> LevelAsync(int depth)
        {
            await Go.YieldAsync();
            if (depth == 0)
                return 0;
            int below = depth % 2 == 0
                ? Go.RunAsync(() => LevelAsync(depth - 1)).Result
                : LevelAsync(depth - 1).GetAwaiter().GetResult();
            await Task.Delay(1);
            return below + 1;
        }
    });

    [Fact]
    public Task WaitAll_over_goroutines_does_not_deadlock() => OnAsync(1, scheduler =>
    {
        int ends = 0;
        Task[] tasks = [.. Enumerable.Range(0, 20).Select(i => Go.RunAsync(async () =>
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(i % 3));
            await Task.Yield();
            Interlocked.Increment(ref ends);
        }))];
        Assert.True(Task.WaitAll(tasks, Bounded.Limit));
        Assert.Equal(20, ends);
        Assert.Contains(Task.WaitAny(tasks), Enumerable.Range(0, 20));
        return Task.CompletedTask;
    });

    [Fact]
    public Task Monitors_work_between_goroutines() => OnAsync(1, async scheduler =>
    {
        object gate = new();
        bool flag = false;
        Task waiter = Go.RunAsync(() =>
        {
            lock (gate)
            {
                while (!flag)
                    Assert.True(Monitor.Wait(gate, Bounded.Limit));
            }
            return Task.CompletedTask;
        });
        await Task.Delay(1);
        lock (gate)
        {
            flag = true;
            Monitor.PulseAll(gate);
        }
        await waiter;
    });

    // ---- ExecutionContext ----

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task AsyncLocals_flow_through_every_wait(int processors) => OnAsync(processors, async scheduler =>
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Go.RunAsync(async () =>
        {
            string mine = $"{i}";
            s_local.Value = mine;
            Channel<int> channel = Channel.Make<int>();
            var mutex = new GoMutex();
            await mutex.LockAsync();
            Go.Spawn(async () =>
            {
                Assert.Equal(mine, s_local.Value);
                s_local.Value = "the other";
                await Go.YieldAsync();
                mutex.Unlock();
                await channel.SendAsync(1);
                Assert.Equal("the other", s_local.Value);
                channel.Close();
            });
            await mutex.LockAsync();
            Assert.Equal(mine, s_local.Value);
            await channel.ReceiveAsync();
            Assert.Equal(mine, s_local.Value);
            var select = new Select();
            select.Receive(channel);
            await select.WaitAsync();
            Assert.Equal(mine, s_local.Value);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            Assert.Equal(mine, s_local.Value);
            await Go.YieldAsync();
            Assert.Equal(mine, s_local.Value);
            await Go.YieldAsync().ConfigureAwait(false);
            Assert.Equal(mine, s_local.Value);
            await Task.Yield();
            Assert.Equal(mine, s_local.Value);
            await Task.Delay(1).ConfigureAwait(false);
            Assert.Equal(mine, s_local.Value);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); // here it isn't a machine's thread
            Assert.Equal(mine, s_local.Value);
        })));
    });

    [Theory]
    [InlineData("yield")]
    [InlineData("sleep")]
    [InlineData("cancellable sleep")]
    [InlineData("channel")]
    [InlineData("mutex")]
    [InlineData("select")]
    public Task OnCompleted_flows_the_context_and_UnsafeOnCompleted_does_not(string wait) => OnAsync(1, async scheduler =>
    {
        for (int round = 0; round < 2; round++)
        {
            bool flows = round == 0;
            Channel<bool> channel = Channel.Make<bool>();
            var mutex = new GoMutex();
            Assert.True(mutex.TryLock());
            using var source = new CancellationTokenSource();
            var seen = new TaskCompletionSource<string?>();
            s_local.Value = "mine";
            void See() => seen.SetResult(s_local.Value);
            void Await(ValueTask task)
            {
                ValueTaskAwaiter awaiter = task.GetAwaiter();
                if (flows)
                    awaiter.OnCompleted(See);
                else
                    awaiter.UnsafeOnCompleted(See);
            }
            void AwaitOf<T>(ValueTask<T> task)
            {
                ValueTaskAwaiter<T> awaiter = task.GetAwaiter();
                if (flows)
                    awaiter.OnCompleted(See);
                else
                    awaiter.UnsafeOnCompleted(See);
            }
            switch (wait)
            {
                case "yield":
                    Await(Go.YieldAsync());
                    break;
                case "sleep":
                    Await(Go.SleepAsync(TimeSpan.FromMilliseconds(1)));
                    break;
                case "cancellable sleep":
                    Await(Go.SleepAsync(TimeSpan.FromMilliseconds(1), source.Token));
                    break;
                case "channel":
                    AwaitOf(channel.ReceiveAsync());
                    break;
                case "mutex":
                    Await(mutex.LockAsync());
                    break;
                case "select":
                    var select = new Select();
                    select.Receive(channel);
                    AwaitOf(select.WaitAsync());
                    break;
            }
            s_local.Value = "later";
            if (wait is "channel" or "select")
                channel.Close();
            mutex.Unlock();
            Assert.Equal(flows ? "mine" : null, await seen.Task);
        }
    });

    [Fact]
    public async Task The_next_goroutine_of_the_same_object_sees_nothing_of_the_last()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var reused = new HashSet<Goroutine>(ReferenceEqualityComparer.Instance);
        int again = 0;
        await scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 200; i++)
                await OneAsync();
        }).Within();
        Assert.True(again > 0);
        Bounded.NoneLeft(scheduler);

        Task OneAsync()
        {
            var end = new TaskCompletionSource();
            using (ExecutionContext.SuppressFlow())
            {
                Go.Spawn(async () =>
                {
                    string? before = s_local.Value;
                    if (!reused.Add(Here))
                        again++;
                    s_local.Value = "left behind";
                    await Go.YieldAsync();
                    if (before is null && s_local.Value == "left behind")
                        end.SetResult();
                    else
                        end.SetException(new InvalidOperationException($"It saw '{before}' of another."));
                });
            }
            return end.Task;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_its_flow_suppressed_a_goroutine_begins_with_nothing(bool inside)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        s_local.Value = "mine";
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task SpawnSuppressed()
        {
            using (ExecutionContext.SuppressFlow())
                scheduler.Spawn(() => seen.SetResult(s_local.Value));
            return Task.CompletedTask;
        }
        await (inside ? scheduler.RunAsync(SpawnSuppressed) : SpawnSuppressed()).Within();
        Assert.Null(await seen.Task.Within());
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public Task A_goroutine_that_leaves_its_flow_suppressed_suppresses_nobody_elses() => OnAsync(1, async scheduler =>
    {
        s_local.Value = "mine";
        Go.Spawn(static () => ExecutionContext.SuppressFlow());
        await Go.YieldAsync();
        Assert.False(ExecutionContext.IsFlowSuppressed());
        var seen = new TaskCompletionSource<string?>();
        Go.Spawn(() => seen.SetResult(s_local.Value));
        Assert.Equal("mine", await seen.Task);
    });

    [Fact]
    public async Task A_simulation_leaves_nothing_of_its_caller_to_the_machines_of_its_process()
    {
        // The runtime once more, as a process has it of which a simulation is the first use.
        var context = new System.Runtime.Loader.AssemblyLoadContext("fresh");
        System.Reflection.Assembly fresh = context.LoadFromAssemblyPath(typeof(GoScheduler).Assembly.Location);
        System.Reflection.MethodInfo run = Assert.Single(
            fresh.GetType(typeof(Simulation).FullName!)!.GetMethods(), static m => m.Name == nameof(Simulation.Run));
        s_local.Value = "mine";
        Func<Task> body = static () => Task.CompletedTask;
        run.Invoke(null, [body, .. run.GetParameters().Skip(1).Select(static p => p.DefaultValue)]);
        Assert.Equal("mine", s_local.Value);

        using var scheduler = (IDisposable)Activator.CreateInstance(fresh.GetType(typeof(GoScheduler).FullName!)!, [null])!;
        System.Reflection.MethodInfo spawn = scheduler.GetType().GetMethod(nameof(GoScheduler.Spawn), [typeof(Action), typeof(string), typeof(int)])!;
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Action first = static () => s_local.Value = "leaked";
        Action second = () => seen.SetResult(s_local.Value);
        using (ExecutionContext.SuppressFlow())
        {
            foreach (Action action in new[] { first, first, first, second })
                spawn.Invoke(scheduler, [action, "", 0]);
        }
        Assert.Null(await seen.Task.Within());
    }

    [Fact]
    public Task Activities_flow() => OnAsync(1, async scheduler =>
    {
        using Activity activity = new Activity("request").Start();
        async Task CheckAsync()
        {
            Assert.Same(activity, Activity.Current);
            await Go.YieldAsync();
            Assert.Same(activity, Activity.Current);
            using (Activity child = new Activity("child").Start())
            {
                Assert.Same(activity, child.Parent);
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                Assert.Same(child, Activity.Current);
            }
            await Task.Delay(1);
            Assert.Same(activity, Activity.Current);
        }
        await Go.RunAsync(CheckAsync);
        await CheckAsync();
        Channel<bool> spawned = Channel.Make<bool>();
        Go.Spawn(async () =>
        {
            await CheckAsync();
            await spawned.SendAsync(true);
        });
        await spawned.ReceiveAsync();
        Assert.Same(activity, Activity.Current);
        var failure = default(Exception);
        var group = new WaitGroup();
        group.Go(async () =>
        {
            try
            {
                await CheckAsync();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        await group.WaitAsync();
        Assert.Null(failure);
        var errors = new ErrGroup();
        errors.Go(CheckAsync);
        await errors.WaitAsync();
        await TaskScope.RunAsync("scope", Context.Background, async scope =>
        {
            scope.Go(CheckAsync);
            await CheckAsync();
        });
        Assert.Same(activity, Activity.Current);
    });

    [Fact]
    public Task Cultures_flow_and_do_not_leak() => OnAsync(1, async scheduler =>
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        await Go.RunAsync(async () =>
        {
            CultureInfo.CurrentCulture = other;
            await Go.YieldAsync();
            Assert.Same(other, CultureInfo.CurrentCulture);
            Assert.Same(other, await Go.RunAsync(() => Task.FromResult(CultureInfo.CurrentCulture)));
            await Task.Delay(1);
            Assert.Same(other, CultureInfo.CurrentCulture);
        });
        Assert.Same(before, CultureInfo.CurrentCulture);
        Go.Spawn(() => CultureInfo.CurrentCulture = other);
        await Go.YieldAsync();
        Assert.Same(before, CultureInfo.CurrentCulture);
    });

    [Fact]
    public async Task A_goroutine_has_one_synchronization_context_of_its_own()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        var contexts = new System.Collections.Concurrent.ConcurrentDictionary<SynchronizationContext, int>(ReferenceEqualityComparer.Instance);
        using var all = new Barrier(8);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => scheduler.RunAsync(async () =>
        {
            Goroutine here = Here;
            Assert.True(contexts.TryAdd(here, i));
            Assert.True(all.SignalAndWait(Bounded.Limit)); // all eight live at once
            for (int k = 0; k < 20; k++)
            {
                if (k % 3 == 0)
                    await Task.Yield();
                else if (k % 3 == 1)
                    await Go.YieldAsync();
                else
                    await Task.Run(() => Assert.Null(SynchronizationContext.Current));
                Assert.Same(here, SynchronizationContext.Current);
                Assert.Same(here, here.CreateCopy());
                await CalleeAsync(here);
            }
        }))).Within();
        Assert.Equal(8, contexts.Count);
        Assert.Null(Machine.OfThisThread);
        Bounded.NoneLeft(scheduler);

        static async Task CalleeAsync(Goroutine caller)
        {
            Assert.Same(caller, SynchronizationContext.Current);
            SynchronizationContext.SetSynchronizationContext(null); // an async method's own business
            await Go.YieldAsync();
            Assert.Same(caller, SynchronizationContext.Current);
        }
    }

    // ---- ConfigureAwait ----

    [Fact]
    public Task ConfigureAwait_false_on_waits_of_NetGo_changes_nothing() => OnAsync(1, async scheduler =>
    {
        Goroutine here = Here;
        Channel<int> channel = Channel.Make<int>();
        var mutex = new GoMutex();
        Go.Spawn(async () =>
        {
            await channel.SendAsync(1).ConfigureAwait(false);
            await mutex.LockAsync().ConfigureAwait(false);
            mutex.Unlock();
            await channel.SendAsync(2).ConfigureAwait(false);
        });
        Assert.Equal((1, true), await channel.ReceiveAsync().ConfigureAwait(false));
        AssertHere();
        await Go.YieldAsync().ConfigureAwait(false);
        AssertHere();
        await Go.SleepAsync(TimeSpan.FromMilliseconds(1)).ConfigureAwait(false);
        AssertHere();
        var select = new Select();
        select.Receive(channel);
        Assert.Equal(0, await select.WaitAsync().ConfigureAwait(false));
        AssertHere();

        void AssertHere()
        {
            Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
            Assert.Same(here, SynchronizationContext.Current);
        }
    });

    [Fact]
    public Task On_a_thread_of_the_pool_all_but_LockOSThread_works() => OnAsync(1, async scheduler =>
    {
        Goroutine here = Here;
        await AwayAsync();
        Assert.Same(here, SynchronizationContext.Current);
        Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);

        async Task AwayAsync()
        {
            await Task.Delay(1).ConfigureAwait(false);
            AssertAway();
            Channel<int> channel = Channel.Make<int>();
            scheduler.Spawn(async () => await channel.SendAsync(5));
            Assert.Equal((5, true), await channel.ReceiveAsync());
            AssertAway();
            scheduler.Spawn(async () => Assert.Equal(6, (await channel.ReceiveAsync()).Value));
            await channel.SendAsync(6);
            AssertAway();
            var mutex = new GoMutex();
            await mutex.LockAsync();
            scheduler.Spawn(async () =>
            {
                await Go.YieldAsync();
                mutex.Unlock();
            });
            await mutex.LockAsync();
            AssertAway();
            mutex.Unlock();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            AssertAway();
            using var source = new CancellationTokenSource(1);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Go.SleepAsync(TimeSpan.FromHours(1), source.Token).AsTask());
            AssertAway();
            await Go.YieldAsync();
            AssertAway();
            var select = new Select();
            select.Receive(channel);
            Assert.Equal(-1, await select.WaitAsync(TimeSpan.FromMilliseconds(1)));
            AssertAway();
            ValueTask<int> selecting = select.WaitAsync();
            scheduler.Spawn(async () => await channel.SendAsync(7));
            Assert.Equal(0, await selecting);
            AssertAway();
            Assert.Equal(8, Go.Blocking(() => 8));
            Assert.Throws<InvalidOperationException>(Go.LockOSThread);
            Assert.Throws<InvalidOperationException>(Go.UnlockOSThread);
        }

        static void AssertAway()
        {
            Assert.Null(Machine.OfThisThread);
            Assert.Null(SynchronizationContext.Current);
        }
    });

    [Fact]
    public Task Forced_yields_come_back_when_told_to() => OnAsync(1, async scheduler =>
    {
        Goroutine here = Here;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Same(here, SynchronizationContext.Current);
        Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        Task failed = Go.RunAsync(() => throw new FormatException());
        await failed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Same(here, SynchronizationContext.Current);
        Assert.True(failed.IsFaulted);
        await LeaveAsync();
        Assert.Same(here, SynchronizationContext.Current);

        static async Task LeaveAsync()
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            Assert.Null(Machine.OfThisThread);
        }
    });

    // ---- Ends ----

    [Fact]
    public Task An_async_void_method_runs_beside_its_caller() => OnAsync(1, async scheduler =>
    {
        Channel<Goroutine> ended = Channel.Make<Goroutine>();
        async void Beside()
        {
            await Go.YieldAsync();
            await Task.Delay(1);
            await ended.SendAsync(Here);
        }
        Goroutine here = Here;
        Beside();
        await Go.YieldAsync();
        Assert.Same(here, (await ended.ReceiveAsync()).Value);
    });

    [Fact]
    public async Task Stack_traces_tell_the_way_through_goroutines()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Exception e = await Assert.ThrowsAsync<FormatException>(() => scheduler.RunAsync(OuterAsync).Within());
        Assert.Contains(nameof(InnerAsync), e.StackTrace, StringComparison.Ordinal);
        Assert.Contains(nameof(OuterAsync), e.StackTrace, StringComparison.Ordinal);
        Assert.Contains(nameof(Stack_traces_tell_the_way_through_goroutines), e.StackTrace, StringComparison.Ordinal);
        Bounded.NoneLeft(scheduler);

        static async Task OuterAsync() => await Go.RunAsync(InnerAsync);

        static async Task InnerAsync()
        {
            await Go.YieldAsync();
            throw new FormatException();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancellation_keeps_its_token(bool parks)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var source = new CancellationTokenSource();
        if (!parks)
            source.Cancel();
        Task task = scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromHours(1), source.Token));
        Task outer = scheduler.RunAsync(async () => await task);
        source.Cancel();
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outer.Within());
        Assert.Equal(source.Token, e.CancellationToken);
        Assert.Equal(TaskStatus.Canceled, task.Status);
        Assert.Equal(TaskStatus.Canceled, outer.Status);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_body_may_return_a_task_that_has_ended()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        List<Exception?> reports = [];
        var reported = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.UnhandledException += (_, e) =>
        {
            reports.Add(e.InnerException);
            reported.SetResult();
        };
        var failure = new FormatException();
        var canceled = new CancellationToken(true);
        scheduler.Spawn(() => Task.FromCanceled(canceled));
        scheduler.Spawn(() => null!);
        scheduler.Spawn(static state => Task.FromException((Exception)state!), failure);
        await reported.Task.Within();
        Bounded.NoneLeft(scheduler);
        Assert.Equal([failure], reports);
        Assert.Same(failure, await Assert.ThrowsAsync<FormatException>(() => scheduler.RunAsync(() => Task.FromException(failure)).Within()));
        Task task = scheduler.RunAsync(() => Task.FromCanceled(canceled));
        Assert.Equal(canceled, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.Within())).CancellationToken);
        Assert.True(task.IsCanceled);
        await Assert.ThrowsAsync<NullReferenceException>(() => scheduler.RunAsync(() => null!).Within());
        Bounded.NoneLeft(scheduler);
    }
}
