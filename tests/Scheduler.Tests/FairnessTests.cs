using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests;

/// <summary>With one processor and no help from sysmon, what is always ready must leave a turn to everything else. Counted in
/// turns: how long one takes does not matter.</summary>
public sealed class FairnessTests
{
    private const int FarTooMany = 1_000_000;

    private static async Task OnOneAsync(Func<GoScheduler, Task> body)
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        await scheduler.RunAsync(() => body(scheduler)).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public Task Two_that_make_each_other_run_next_share_one_budget(int operationsPerTurn) => OnOneAsync(async _ =>
    {
        Channel<int> ball = Channel.Make<int>();
        Channel<int> back = Channel.Make<int>();
        var always = new GoSemaphore(1);
        bool stop = false;
        int operations = 0;
        async Task PlayAsync(Channel<int> from, Channel<int> to)
        {
            while ((await from.ReceiveAsync()).Ok)
            {
                for (int i = 0; i < operationsPerTurn; i++)
                {
                    await always.AcquireAsync();
                    always.Release();
                    operations++;
                }
                operations++;
                if (Volatile.Read(ref stop))
                {
                    to.Close();
                    return;
                }
                await to.SendAsync(0);
            }
        }
        var players = new WaitGroup();
        players.Go(() => PlayAsync(ball, back));
        players.Go(() => PlayAsync(back, ball));
        await ball.SendAsync(0);
        int most = operationsPerTurn == 0 ? 400 : FarTooMany; // 32 in a row; or what fits into a slice
        int longest = await LongestBetweenTurnsAsync(() => Volatile.Read(ref operations), most);
        Volatile.Write(ref stop, true);
        await players.WaitAsync();
        Assert.InRange(longest, 1, most);
    });

    // How far a count gets from one turn of the caller to its next, at most. A goroutine whose code is compiled meanwhile may lose its processor
    // and then there are two threads, which take no turns: so a count that gets further than is right is looked at again.
    private static async Task<int> LongestBetweenTurnsAsync(Func<int> count, int most)
    {
        int least = 0;
        for (int attempt = 0; attempt < 10 && (least == 0 || least > most); attempt++)
        {
            int longest = 0;
            int last = count();
            for (int turn = 0; turn < 1000; turn++)
            {
                await Go.YieldAsync();
                int now = count();
                longest = Math.Max(longest, now - last);
                last = now;
            }
            if (least == 0 || (longest > 0 && longest < least))
                least = longest;
        }
        return least;
    }

    [Fact]
    public Task A_chain_that_runs_next_leaves_the_queue_its_turns() => OnOneAsync(async _ =>
    {
        int links = 0;
        bool stop = false;
        void Link()
        {
            links++;
            if (!Volatile.Read(ref stop) && links < FarTooMany)
                Go.Spawn(Link);
        }
        Go.Spawn(Link);
        const int most = 100; // 32 in a row
        int longest = await LongestBetweenTurnsAsync(() => Volatile.Read(ref links), most);
        Volatile.Write(ref stop, true);
        Assert.InRange(longest, 1, most);
    });

    [Theory]
    [InlineData("global queue")]
    [InlineData("timer")]
    public async Task A_queue_that_is_never_empty_keeps_nothing_else_waiting(string what)
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        bool had = false;
        bool waits = false;
        long due = long.MaxValue;
        Task<int>[] busy = [.. Enumerable.Range(0, 3).Select(_ => scheduler.RunAsync(async () =>
        {
            int turns = 0;
            while (!Volatile.Read(ref had) && turns < FarTooMany)
            {
                await Go.YieldAsync();
                if (Volatile.Read(ref waits) && (turns > 0 || scheduler.Now() > Volatile.Read(ref due)))
                    turns++;
            }
            return turns;
        }))];
        if (what == "timer")
        {
            scheduler.Spawn(async () =>
            {
                Volatile.Write(ref due, scheduler.TimeAfter(TimeSpan.FromMilliseconds(1)));
                Volatile.Write(ref waits, true);
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                Volatile.Write(ref had, true);
            });
        }
        else
        {
            Bounded.Until(() => scheduler.Processors[0].HasMoreThanNext, "they are busy");
            scheduler.Spawn(() => Volatile.Write(ref had, true)); // by a thread without a processor
            Volatile.Write(ref due, long.MinValue);
            Volatile.Write(ref waits, true);
        }
        int[] turns = await Task.WhenAll(busy).Within();
        Assert.InRange(turns.Max(), 0, FarTooMany - 1);
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public Task Who_waits_for_what_has_happened_already_lets_others_run() => OnOneAsync(async _ =>
    {
        using CancelContext done = Context.WithCancel(Context.Background);
        done.Cancel();
        bool ran = false;
        Go.Spawn(() => ran = true);
        int turns = 0;
        while (!ran && turns++ < FarTooMany)
            await done.WaitDoneAsync();
        Assert.InRange(turns, 1, FarTooMany);
    });

    private static async Task OnOneWithEventsAsync(Func<GoScheduler, EventPoller, Task> body)
    {
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        var events = new EventPoller();
        scheduler.PollerFor(0, _ => events);
        await body(scheduler, events);
        Bounded.NoneLeft(scheduler);
    }

    // Each waits for an event and computes, in turn, for so long that a poll is due at each second 61st search.
    private static Task WaitAndComputeAsync(GoScheduler scheduler, EventPoller events, int waiters, Action<int> runs) =>
        Task.WhenAll(Enumerable.Range(0, waiters).Select(waiter => scheduler.RunAsync(async () =>
        {
            for (int round = 0; round < 20; round++)
            {
                await events.NextAsync();
                Spin(TimeSpan.FromMicroseconds(100));
                runs(waiter);
            }
        }))).Within();

    // What a poll brings to a ring that has no room overflows to the global queue, the oldest first.
    [Fact]
    public Task Who_waits_for_events_is_not_overtaken_by_those_of_later_polls() => OnOneWithEventsAsync(async (scheduler, events) =>
    {
        const int waiters = 400;
        int[] last = new int[waiters];
        int runs = 0;
        int longest = 0;
        await WaitAndComputeAsync(scheduler, events, waiters, waiter =>
        {
            longest = last[waiter] == 0 ? longest : Math.Max(longest, runs - last[waiter]);
            last[waiter] = ++runs;
        });
        Assert.InRange(longest, 1, 2 * waiters);
    });

    [Fact]
    public Task The_global_queue_has_its_share_though_polls_keep_the_ring_from_running_empty() => OnOneWithEventsAsync(async (scheduler, events) =>
    {
        const int waiters = 400;
        const int outsiders = 100;
        int runs = 0;
        int longest = 0;
        int came = 0;
        void SpawnOutsiders()
        {
            for (int i = 0; i < outsiders; i++)
            {
                int before = Volatile.Read(ref runs);
                scheduler.Spawn(() =>
                {
                    longest = Math.Max(longest, runs - before);
                    Interlocked.Increment(ref came);
                });
            }
        }
        await WaitAndComputeAsync(scheduler, events, waiters, _ =>
        {
            if (Interlocked.Increment(ref runs) != 2 * waiters)
                return;
            var outside = new Thread(SpawnOutsiders);
            outside.Start();
            outside.Join();
        });
        Assert.Equal(outsiders, came);
        Assert.InRange(longest, 1, outsiders * 61 / 2);
    });

    [Fact]
    public Task Events_are_asked_for_though_the_ring_never_has_room_for_them() => OnOneWithEventsAsync(async (scheduler, events) =>
    {
        const int tooMany = 100_000;
        bool had = false;
        bool waits = false;
        Task<int>[] busy = [.. Enumerable.Range(0, RunQueue.Capacity - IPoller.MaxEvents + 20).Select(_ => scheduler.RunAsync(async () =>
        {
            int turns = 0;
            while (!had && turns < tooMany)
            {
                await Go.YieldAsync();
                if (waits)
                    turns++;
            }
            return turns;
        }))];
        Task waiter = scheduler.RunAsync(async () =>
        {
            waits = true;
            await events.NextAsync();
            had = true;
        });
        int[] turns = await Task.WhenAll(busy).Within();
        await waiter.Within();
        Assert.InRange(turns.Max(), 1, tooMany - 1);
    });

    // What sysmon finds goes to the global queue, and may come back from there later than the processor would have asked for it.
    [Fact]
    public Task Sysmon_leaves_events_where_they_are_while_something_waits_here_already() => OnOneWithEventsAsync((scheduler, events) => scheduler.RunAsync(async () =>
    {
        await events.NextAsync(); // so that the processor has this poller
        Spin(TimeSpan.FromSeconds(10), until: () => events.LooksFromOutside > 0); // nothing waits: somebody has to see whether there are events
        Assert.True(events.LooksFromOutside > 0);
        await Go.YieldAsync();
        Go.Spawn(() => { });
        int looks = int.MaxValue;
        for (int attempt = 0; attempt < 5 && looks > 0; attempt++) // one may have begun before the spawn
        {
            int before = events.LooksFromOutside;
            Spin(TimeSpan.FromMilliseconds(50));
            looks = events.LooksFromOutside - before;
        }
        Assert.Equal(0, looks);
    }).Within());

    private static void Spin(TimeSpan time, Func<bool>? until = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time && until?.Invoke() != true)
        {
        }
    }

    /// <summary>A poller in which everybody's event has happened already, in the order in which they began to wait. Sysmon finds none.</summary>
    private sealed class EventPoller : IPoller
    {
        private readonly SemaphorePoller _inner = new();
        private readonly Queue<Goroutine> _waiting = new();
        private int _looksFromOutside;

        /// <summary>How often sysmon has asked.</summary>
        public int LooksFromOutside => Volatile.Read(ref _looksFromOutside);

        public bool HasRegistrations => true;

        public EventAwaitable NextAsync() => new(this);

        public void Poll(long timeout, ref GoroutineQueue ready)
        {
            if (Machine.OfThisThread is null)
            {
                Interlocked.Increment(ref _looksFromOutside);
                return;
            }
            int count;
            lock (_waiting)
            {
                for (count = 0; count < IPoller.MaxEvents && _waiting.TryDequeue(out Goroutine? g); count++)
                {
                    g.MarkRunnable();
                    ready.PushBack(g);
                }
            }
            if (count == 0)
                _inner.Poll(timeout, ref ready);
        }

        public void Wake() => _inner.Wake();

        public bool TryAdopt(IPoller other) => true;

        public bool TryRelease(IPoller other) => true;

        public void Dispose() => _inner.Dispose();

        public readonly struct EventAwaitable(EventPoller poller) : INotifyCompletion
        {
            public bool IsCompleted => false;

            public EventAwaitable GetAwaiter() => this;

            public void OnCompleted(Action continuation)
            {
                Goroutine g = Goroutine.Park(static a => ((Action)a!)(), continuation, WaitReason.IOWait);
                lock (poller._waiting)
                    poller._waiting.Enqueue(g);
                poller.Wake();
            }

            public void GetResult()
            {
            }
        }
    }
}
