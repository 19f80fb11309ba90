using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Metrics;

/// <summary>The meter NetGo.Scheduler.</summary>
public sealed class SchedulerMetricsTests : IDisposable
{
    private readonly MetricRecorder _recorder = new(static i => i.Meter == SchedulerMetrics.Meter);

    public void Dispose() => _recorder.Dispose();

    private static string NameOf(GoScheduler scheduler) => LiveSchedulers.Snapshot().Single(s => s.Scheduler == scheduler).Name;

    // Of one scheduler: by its other tags.
    private Dictionary<string, double> Observe(string instrument, GoScheduler scheduler)
    {
        string own = $"netgo.scheduler.name={NameOf(scheduler)}";
        return _recorder.Observe(instrument).Where(m => m.Tags.Split(' ').Contains(own))
            .ToDictionary(m => string.Join(' ', m.Tags.Split(' ').Where(t => t != own)), m => m.Value);
    }

    [Fact]
    public void The_instruments_are_those_of_the_documentation()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        string[] expected =
        [
            "UpDownCounter netgo.buffers.committed By",
            "UpDownCounter netgo.buffers.count {buffer}",
            "UpDownCounter netgo.buffers.large By",
            "UpDownCounter netgo.buffers.limit By",
            "UpDownCounter netgo.buffers.released By",
            "Counter netgo.buffers.returns {buffer}",
            "UpDownCounter netgo.buffers.waiting {request}",
            "Counter netgo.netpoll.batches {poll}",
            "Counter netgo.netpoll.polls {poll}",
            "Counter netgo.netpoll.ready {goroutine}",
            "UpDownCounter netgo.scheduler.global_queue.length {goroutine}",
            "UpDownCounter netgo.scheduler.goroutines {goroutine}",
            "Counter netgo.scheduler.goroutines.created {goroutine}",
            "Counter netgo.scheduler.handoffs {handoff}",
            "UpDownCounter netgo.scheduler.local_queue.length {goroutine}",
            "UpDownCounter netgo.scheduler.machines {machine}",
            "Counter netgo.scheduler.processor.idle_time s",
            "UpDownCounter netgo.scheduler.processors {processor}",
            "Counter netgo.scheduler.runs {run}",
            "Counter netgo.scheduler.steals {steal}",
            "UpDownCounter netgo.scheduler.timers {timer}",
        ];
        Assert.Equal(
            expected,
            _recorder.Instruments.OrderBy(i => i.Name, StringComparer.Ordinal).Select(i => $"{i.GetType().Name.Split('`')[0]["Observable".Length..]} {i.Name} {i.Unit}"));
        Assert.All(_recorder.Instruments, i => Assert.NotEqual("", i.Description));
        Assert.Equal("NetGo.Scheduler", SchedulerMetrics.Meter.Name);
    }

    [Fact]
    public async Task Goroutines_are_counted_while_they_exist_and_when_they_are_started()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Channel<int> never = Channel.Make<int>();
        await scheduler.RunAsync(async () =>
        {
            for (int i = 0; i < 100; i++)
                Go.Spawn(async () => await never.ReceiveAsync());
            await Go.YieldAsync();
        }).Within();
        for (int i = 0; i < 10; i++)
            scheduler.Spawn(async () => await never.ReceiveAsync()); // from elsewhere
        Bounded.Until(() => Observe("netgo.scheduler.goroutines", scheduler)[""] == 110, "that many exist");
        Assert.Equal(111, Observe("netgo.scheduler.goroutines.created", scheduler)[""]);
        never.Close();
        Bounded.Until(() => Observe("netgo.scheduler.goroutines", scheduler)[""] == 0, "all have ended");
        Assert.Equal(111, Observe("netgo.scheduler.goroutines.created", scheduler)[""]);
        Assert.Equal(["netgo.processor.index=0", "netgo.processor.index=1"], Observe("netgo.scheduler.runs", scheduler).Keys);
        Assert.InRange(Observe("netgo.scheduler.runs", scheduler).Values.Sum(), 111, double.MaxValue);
    }

    [Fact]
    public async Task Queues_and_processors_are_seen_as_they_are()
    {
        // Again where the processor was taken: a thread that waits for a collection to end sleeps.
        for (int attempt = 0; !await TryAsync(isLast: attempt == 9); attempt++)
        {
        }

        async Task<bool> TryAsync(bool isLast)
        {
            using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
            var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            bool goesOn = true;
            Task computing = scheduler.RunAsync(() =>
            {
                for (int i = 0; i < 5; i++)
                    Go.Spawn(() => { });
                scheduler.TimersForThisThread();
                entered.SetResult();
                while (Volatile.Read(ref goesOn))
                {
                }
                return Task.CompletedTask;
            });
            await entered.Task.Within();
            double local = Observe("netgo.scheduler.local_queue.length", scheduler)["netgo.processor.index=0"];
            double global = Observe("netgo.scheduler.global_queue.length", scheduler)[""];
            scheduler.Spawn(() => { });
            double globalThen = Observe("netgo.scheduler.global_queue.length", scheduler)[""];
            double running = Observe("netgo.scheduler.processors", scheduler)["netgo.processor.state=running"];
            double machines = Observe("netgo.scheduler.machines", scheduler)["netgo.machine.state=other"];
            bool wasTaken = scheduler.GetStatistics().BlockedHandOffs > 0;
            Volatile.Write(ref goesOn, false);
            await computing.Within();
            if (wasTaken && !isLast)
                return false;
            Assert.Equal((5, 0, 1, 1, 1), (local, global, globalThen, running, machines));
            Bounded.Until(() => Observe("netgo.scheduler.processors", scheduler)["netgo.processor.state=idle"] == 1, "it has nothing to do");
            double idle = Observe("netgo.scheduler.processor.idle_time", scheduler)["netgo.processor.index=0"];
            Bounded.Until(() => Observe("netgo.scheduler.processor.idle_time", scheduler)["netgo.processor.index=0"] > idle + 0.01, "its idle time grows");
            return true;
        }
    }

    [Fact]
    public async Task Hand_offs_are_counted_by_their_reason()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(() =>
        {
            Bounded.Until(
                () =>
                {
                    Thread.Sleep(50);
                    return Observe("netgo.scheduler.handoffs", scheduler)["netgo.handoff.reason=blocked"] > 0;
                },
                "the hand-off is counted");
            return Task.CompletedTask;
        });
        Dictionary<string, double> reasons = Observe("netgo.scheduler.handoffs", scheduler);
        Assert.Equal(["netgo.handoff.reason=blocked", "netgo.handoff.reason=syscall", "netgo.handoff.reason=time_slice"], reasons.Keys);
        Assert.Equal(scheduler.HandOffCount, reasons.Values.Sum());
    }

    [Fact]
    public async Task Polls_are_counted_by_what_they_bring()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        await scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(1))).Within();
        Dictionary<string, double> batches = Observe("netgo.netpoll.batches", scheduler);
        string[] names = ["0", "1", "2-3", "4-7", "8-15", "16-31", "32-63", "64-127", "128-255", "256-"];
        Assert.Equal(names.Select(n => $"netgo.netpoll.batch={n}"), batches.Keys);
        Assert.InRange(batches["netgo.netpoll.batch=0"], 1, double.MaxValue); // it slept, and nothing came
        Assert.Equal(["netgo.processor.index=0"], Observe("netgo.netpoll.ready", scheduler).Keys);
        Assert.InRange(Observe("netgo.netpoll.polls", scheduler)["netgo.processor.index=0"], batches.Values.Sum(), double.MaxValue);
    }

    [Fact]
    public async Task Buffers_are_counted_by_size_and_state()
    {
        using var pool = new BufferPool(new BufferPoolOptions { MaxBytes = 64 * 1024 * 1024 });
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        string name = $"netgo.buffers.pool={NameOf(scheduler)}";
        Assert.Equal(64 * 1024 * 1024, _recorder.Observe("netgo.buffers.limit", name));
        Assert.Equal(0, _recorder.Observe("netgo.buffers.committed", name));
        NetBuffer first = pool.Rent(4096);
        NetBuffer second = pool.Rent(100_000);
        Assert.InRange(_recorder.Observe("netgo.buffers.committed", name), 2 * 1024 * 1024, 64 * 1024 * 1024);
        Assert.InRange(_recorder.Observe("netgo.buffers.large", name), 100_000, 200_000);
        Assert.Equal(1, InUse(4096));
        Assert.Equal(0, InUse(65536));
        await scheduler.RunAsync(() =>
        {
            first.Return();
            return Task.CompletedTask;
        }).Within();
        second.Return();
        Assert.Equal(0, InUse(4096));
        Assert.Equal(1, _recorder.Observe("netgo.buffers.returns", $"netgo.buffers.locality=local {name}"));
        Assert.Equal(0, _recorder.Observe("netgo.buffers.waiting", name));

        double InUse(int size) => _recorder.Observe("netgo.buffers.count")
            .Where(m => m.Tags.Contains($"{name} netgo.buffers.size={size} netgo.buffers.state=in_use", StringComparison.Ordinal)).Sum(m => m.Value);
    }

    [Fact]
    public void Each_pool_is_told_of_once()
    {
        using var pool = new BufferPool(new BufferPoolOptions());
        using var first = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        using var second = new GoScheduler(new SchedulerOptions { MaxProcs = 1, Buffers = pool });
        using var third = new GoScheduler(new SchedulerOptions { MaxProcs = 1 });
        string[] names = [.. _recorder.Observe("netgo.buffers.limit").Select(m => m.Tags)];
        Assert.Contains($"netgo.buffers.pool={NameOf(first)}", names);
        Assert.DoesNotContain($"netgo.buffers.pool={NameOf(second)}", names);
        Assert.Single(names, "netgo.buffers.pool=shared");
    }

    // ---- Which schedulers ----

    [Fact]
    public void The_default_one_is_called_so_and_is_not_made_by_the_question()
    {
        using GoScheduler other = Bounded.NewScheduler(1);
        Assert.NotEqual("default", NameOf(other));
        Assert.Equal("default", NameOf(GoScheduler.Default));
        Assert.Single(_recorder.Observe("netgo.scheduler.goroutines"), static m => m.Tags == "netgo.scheduler.name=default");
    }

    [Fact]
    public void One_that_is_disposed_of_is_not_told_of_any_more()
    {
        string name;
        using (GoScheduler scheduler = Bounded.NewScheduler(1))
        {
            name = $"netgo.scheduler.name={NameOf(scheduler)}";
            Assert.Contains(_recorder.Observe("netgo.scheduler.goroutines"), m => m.Tags == name);
        }
        Assert.DoesNotContain(_recorder.Observe("netgo.scheduler.goroutines"), m => m.Tags == name);
    }

    [Fact]
    public void Nor_is_it_kept()
    {
        WeakReference scheduler = MakeAndDispose();
        Bounded.Until(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !scheduler.IsAlive;
            },
            "it is collected");

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference MakeAndDispose()
        {
            GoScheduler scheduler = Bounded.NewScheduler(1);
            scheduler.Dispose();
            return new WeakReference(scheduler);
        }
    }

    [Fact]
    public void Simulations_are_not_told_of()
    {
        int before = LiveSchedulers.Snapshot().Count;
        int within = 0;
        Simulation.Run(
            async () =>
            {
                within = LiveSchedulers.Snapshot().Count;
                await Go.YieldAsync();
            },
            new SimulationOptions());
        Assert.Equal(before, within);
    }
}
