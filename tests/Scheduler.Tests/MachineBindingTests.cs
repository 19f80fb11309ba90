#pragma warning disable xUnit1031 // blocking is what is tested

using NetGo.Scheduler.Tests.Buffers;

namespace NetGo.Scheduler.Tests;

/// <summary>Which cores the threads of machines may run on, by what the system says of them.</summary>
public sealed class MachineBindingTests
{
    public MachineBindingTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are bound on Linux only.");

    private static readonly int[] s_all = [.. NumaTopology.Current.Cpus.ToArray().Order()];

    private static GoScheduler NewScheduler(MachineBinding binding, int processors, NumaTopology? topology = null) =>
        Bounded.NewScheduler(new SchedulerOptions
        {
            MaxProcs = processors,
            MachineBinding = binding,
            Buffers = topology is null ? null : new BufferPool(new BufferPoolOptions(), topology),
        });

    private static void NeedsCores0And1() =>
        Assert.SkipUnless(s_all.Contains(0) && s_all.Contains(1), "This machine has no cores 0 and 1, or not for us.");

    /// <summary>The cores that the calling thread may run on.</summary>
    private static int[] CoresOfThread() =>
    [
        .. NumaTopology.ParseList(File.ReadLines("/proc/thread-self/status").First(
            static line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1].Trim())
    ];

    /// <summary>The processor of the goroutine that calls, and its thread's cores; no processor when it has been handed off.</summary>
    private static (int? Processor, int[] Cores) Observe()
    {
        Machine machine = Machine.OfThisThread!;
        int? processor = machine.Pin(out int previous)?.Index;
        int[] cores = CoresOfThread();
        machine.Unpin(previous);
        return (processor, cores);
    }

    // What each of the processors' goroutines see, when there is work enough for all.
    private static async Task EachSees(GoScheduler scheduler, Func<int, IEnumerable<int>> expected)
    {
        var seen = new bool[scheduler.MaxProcs];
        long start = Environment.TickCount64;
        await Task.WhenAll(Enumerable.Range(0, 2 * seen.Length).Select(_ => scheduler.RunAsync(async () =>
        {
            while (!Array.TrueForAll(seen, static one => one))
            {
                Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds, "A processor has not run anything.");
                (int? processor, int[] cores) = Observe();
                if (processor is { } index)
                {
                    Assert.Equal(expected(index), cores);
                    seen[index] = true;
                }
                Thread.SpinWait(1000);
                await Go.YieldAsync();
            }
        }))).WaitAsync(Bounded.StressLimit);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Core_is_the_processors_own()
    {
        using GoScheduler scheduler = NewScheduler(MachineBinding.Core, s_all.Length + 1);
        await EachSees(scheduler, static index => [NumaTopology.Current.CpuOfProcessor(index)]);
    }

    [Fact]
    public async Task Node_is_the_cores_near_to_the_processors_memory()
    {
        using GoScheduler scheduler = NewScheduler(MachineBinding.Node, s_all.Length);
        NumaTopology topology = NumaTopology.Current;
        await EachSees(scheduler, topology.NodeCount == 1
            ? static _ => s_all
            : index => topology.CpusOfNode(topology.NodeOfCpu(topology.CpuOfProcessor(index))).ToArray().Order());
    }

    [Fact]
    public async Task Node_is_not_the_other_node()
    {
        NeedsCores0And1();
        using GoScheduler scheduler = NewScheduler(MachineBinding.Node, 2, Topologies.Read("two-nodes-one-core-each"));
        await EachSees(scheduler, static index => [index]);
    }

    [Fact]
    public async Task None_leaves_them_alone()
    {
        using GoScheduler scheduler = NewScheduler(MachineBinding.None, 2, Topologies.Read("two-nodes-one-core-each"));
        await EachSees(scheduler, static _ => s_all);
    }

    // Of the 128 cores of that machine ours has a few.
    [Fact]
    public async Task Where_a_core_is_gone_the_thread_runs_where_it_can()
    {
        NeedsCores0And1();
        Assert.SkipUnless(s_all.Max() < 16, "This machine has the cores that are to be missing.");
        NumaTopology topology = Topologies.Read("eight-nodes");
        using GoScheduler scheduler = NewScheduler(MachineBinding.Core, 17, topology);
        // Threads that have been bound to a core that is there get processors whose core is not.
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                Go.Blocking(() => Thread.Sleep(1));
                await Go.YieldAsync();
            }
        }))).WaitAsync(Bounded.StressLimit);
        await EachSees(scheduler, static index => s_all.Contains(index) ? [index] : s_all);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_gets_the_processor_of_a_blocked_one_is_bound_to_its_core(bool declared)
    {
        using GoScheduler scheduler = NewScheduler(MachineBinding.Core, 1);
        using var release = new ManualResetEventSlim();
        int blockedThread = 0;
        Task blocked = scheduler.RunAsync(() =>
        {
            Volatile.Write(ref blockedThread, Environment.CurrentManagedThreadId);
            if (declared)
                Go.Blocking(release.Wait);
            else
                release.Wait();
            return Task.CompletedTask;
        });
        Bounded.Until(() => Volatile.Read(ref blockedThread) != 0, "it blocks");
        int[] cores = await scheduler.RunAsync(() =>
        {
            Assert.NotEqual(blockedThread, Environment.CurrentManagedThreadId);
            return Task.FromResult(CoresOfThread());
        }).Within();
        Assert.Equal([NumaTopology.Current.CpuOfProcessor(0)], cores);
        release.Set();
        await blocked.Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task Who_comes_back_from_blocking_with_another_processor_is_bound_to_that_ones_core()
    {
        NeedsCores0And1();
        using GoScheduler scheduler = NewScheduler(MachineBinding.Core, 2, Topologies.Read("two-nodes-one-core-each"));
        bool stop = false;
        Task others = KeepBusyAsync(scheduler, () => Volatile.Read(ref stop));
        int changes = 0;
        await scheduler.RunAsync(async () =>
        {
            long start = Environment.TickCount64;
            while (changes < 10)
            {
                Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds, "It always gets the same processor.");
                int? before = Observe().Processor;
                Go.Blocking(() => Thread.Sleep(1));
                (int? after, int[] cores) = Observe();
                if (after is { } index)
                    Assert.Equal([index], cores);
                if (before is not null && after is not null && before != after)
                    changes++;
                await Go.YieldAsync();
            }
        }).WaitAsync(Bounded.StressLimit);
        Volatile.Write(ref stop, true);
        await others.Within();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_thread_that_a_goroutine_has_locked_stays_where_it_is()
    {
        NeedsCores0And1();
        using GoScheduler scheduler = NewScheduler(MachineBinding.Core, 2, Topologies.Read("two-nodes-one-core-each"));
        bool stop = false;
        Task others = KeepBusyAsync(scheduler, () => Volatile.Read(ref stop));
        await scheduler.RunAsync(async () =>
        {
            Go.LockOSThread();
            int[] cores = CoresOfThread();
            Assert.Single(cores);
            HashSet<int> processors = [];
            long start = Environment.TickCount64;
            while (processors.Count < 2)
            {
                Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds, "It always gets the same processor.");
                if (Random.Shared.Next(2) == 0)
                    Go.Blocking(() => Thread.Sleep(1));
                else
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                (int? processor, int[] now) = Observe();
                Assert.Equal(cores, now);
                if (processor is { } index)
                    processors.Add(index);
            }
            Go.UnlockOSThread();
        }).WaitAsync(Bounded.StressLimit);
        Volatile.Write(ref stop, true);
        await others.Within();
        await EachSees(scheduler, static index => [index]);
    }

    private static Task KeepBusyAsync(GoScheduler scheduler, Func<bool> stop) =>
        Task.WhenAll(Enumerable.Range(0, 8).Select(_ => scheduler.RunAsync(async () =>
        {
            while (!stop())
            {
                Thread.SpinWait(1000);
                await Go.YieldAsync();
            }
        })));

    [Fact]
    public void It_is_by_node_where_there_are_several_and_none_else()
    {
        MachineBinding expected = NumaTopology.Current.NodeCount > 1 ? MachineBinding.Node : MachineBinding.None;
        Assert.Equal(expected, new SchedulerOptions().MachineBinding);
        foreach (int none in (int[])[-1, 3])
        {
            ArgumentException e = Assert.Throws<ArgumentOutOfRangeException>(
                () => new GoScheduler(new SchedulerOptions { MachineBinding = (MachineBinding)none }));
            Assert.Equal(nameof(SchedulerOptions.MachineBinding), e.ParamName);
        }
    }
}
