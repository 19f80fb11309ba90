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
        int longest = 0;
        int last = operations;
        for (int turn = 0; turn < 1000; turn++)
        {
            await Go.YieldAsync();
            longest = Math.Max(longest, operations - last);
            last = operations;
        }
        Volatile.Write(ref stop, true);
        await players.WaitAsync();
        Assert.InRange(longest, 1, operationsPerTurn == 0 ? 400 : FarTooMany); // 32 in a row; or what fits into a slice
    });

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
        int longest = 0;
        int last = 0;
        for (int turn = 0; turn < 1000; turn++)
        {
            await Go.YieldAsync();
            longest = Math.Max(longest, links - last);
            last = links;
        }
        Volatile.Write(ref stop, true);
        Assert.InRange(longest, 1, 100); // 32 in a row
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
}
