using NetGo.Netpoll;

namespace NetGo.Interleaving.Tests;

/// <summary>PollDesc.cs, its deadlines and their timer: who waits is woken when the deadline that stands has passed, not by one that
/// stands no more, and never twice. The clock is the thread "timers": it fires what is due.</summary>
public sealed class PollDescTimerInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 2, DelayedStores = 1, PlainAccesses = true };

    private static void Fire(GoScheduler scheduler, long now) => scheduler.Timers.TakeDue(now)?.Fire(now);

    private static void WaitAndFire(GoScheduler scheduler, long now)
    {
        Run.WaitUntil("a timer", () => scheduler.Timers.When <= now);
        Fire(scheduler, now);
    }

    // ---- Without a goroutine: the deadline keeps a timer ----

    // The timer stands at 50, and fires at 60 while the deadline is moved.
    private static Action<Run> MovesDeadline(long from, long to) => run =>
    {
        PollDesc descriptor = PollDescInterleavings.Open(run, out GoScheduler scheduler);
        descriptor.SetDeadline(PollMode.Read, 50);
        descriptor.SetDeadline(PollMode.Read, from);
        run.Thread("mover", () => descriptor.SetDeadline(PollMode.Read, to));
        run.Thread("timers", () => Fire(scheduler, 60));
        run.Finally(() =>
        {
            Assert.Equal(PollResult.Ready, descriptor.Check(PollMode.Read));
            Assert.True(scheduler.Timers.When <= to, "No timer stands for the deadline.");
        });
    };

    [Theory]
    [InlineData(50, 100)]
    [InlineData(50, 70)]
    [InlineData(50, long.MaxValue)]
    [InlineData(70, 65)]
    [InlineData(70, 100)]
    public void A_deadline_that_is_moved_while_the_timer_fires_keeps_a_timer(long from, long to) =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 3 }, MovesDeadline(from, to))}");

    [Theory]
    [InlineData("SetDeadline", Weakness.InterlockedIsNoFence, 50, 100)]
    [InlineData("Fire", Weakness.InterlockedIsNoFence, 70, 65)]
    [InlineData("ExpireIfDue", Weakness.CompareExchangeIsNotAtomic, 50, 100)]
    [InlineData("SetDeadline", Weakness.ReadsSeeNothing, 70, 65)]
    public void A_step_that_is_weakened_is_found(string member, object weakness, long from, long to) =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { Preemptions = 3, Weakness = (Weakness)weakness, WeakIn = member }, MovesDeadline(from, to)));

    private static readonly Action<Run> s_setsBothDirections = run =>
    {
        PollDesc descriptor = PollDescInterleavings.Open(run, out GoScheduler scheduler);
        int set = 0;
        run.Thread("reader", () =>
        {
            descriptor.SetDeadline(PollMode.Read, 50);
            set++;
        });
        run.Thread("writer", () =>
        {
            descriptor.SetDeadline(PollMode.Write, 100);
            set++;
        });
        run.Thread("timers", () =>
        {
            WaitAndFire(scheduler, 110); // for whichever it was started
            Run.WaitUntil("both", () => set == 2);
            Fire(scheduler, 110);
        });
        run.Finally(() =>
        {
            Assert.Equal(PollResult.Timeout, descriptor.Check(PollMode.Read));
            Assert.Equal(PollResult.Timeout, descriptor.Check(PollMode.Write));
        });
    };

    [Fact]
    public void The_deadlines_of_both_directions_share_a_timer() =>
        output.WriteLine($"{Explore.All(s_bounds with { DelayedStores = 0 }, s_setsBothDirections)}");

    [Fact]
    public void A_missing_monitor_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { DelayedStores = 0, Weakness = Weakness.LocksDoNothing }, s_setsBothDirections));

    // ---- With a goroutine that waits, or begins to ----

    /// <summary>Who waits until something other than an event has ended the wait, or until there is something to read.</summary>
    private static PollResult Read(PollDesc descriptor, Goroutine g, Func<bool> isThere)
    {
        while (true)
        {
            Run.Point(); // the system call
            if (isThere())
                return PollResult.Ready;
            PollResult result = PollDescInterleavings.Wait(descriptor, g);
            if (result != PollResult.Ready)
                return result;
        }
    }

    private static Action<Run> SetsAndWaits(long first, long then, params long[] fires) => run =>
    {
        PollDesc descriptor = PollDescInterleavings.Open(run, out GoScheduler scheduler);
        descriptor.SetDeadline(PollMode.Read, first);
        var g = new Goroutine(scheduler, 0);
        PollResult result = default;
        bool over = false;
        run.Thread("reader", () =>
        {
            result = Read(descriptor, g, static () => false);
            over = true;
        });
        run.Thread("setter", () => descriptor.SetDeadline(PollMode.Read, then));
        run.Thread("timers", () =>
        {
            foreach (long now in fires[..^1])
                Fire(scheduler, now);
            while (!over)
            {
                Run.WaitUntil("a timer", () => over || scheduler.Timers.When <= fires[^1]);
                Fire(scheduler, fires[^1]);
            }
        });
        run.Finally(() => Assert.Equal(PollResult.Timeout, result));
    };

    [Theory]
    [InlineData(long.MaxValue, 50, 60L)] // set
    [InlineData(100, 50, 60L)] // moved up
    [InlineData(50, 100, 60L, 110L)] // moved later, while the timer fires for the old time
    [InlineData(50, 0, 60L)] // into the past
    public void A_deadline_that_is_set_or_moved_ends_the_wait(long first, long then, params long[] fires) =>
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = 1 }, SetsAndWaits(first, then, fires))}, {Explore.Random(
            s_bounds, 20260112, 2_000, SetsAndWaits(first, then, fires))}");

    [Fact]
    public void A_wait_begun_without_a_fence_is_found() =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { Weakness = Weakness.InterlockedIsNoFence, WeakIn = "WaitAsync" }, SetsAndWaits(long.MaxValue, 50, 60)));

    // The deadline is cleared while its timer fires: the wait may end by it all the same, or goes on until a byte comes, and later
    // waits are not ended.
    private static readonly Action<Run> s_clears = run =>
    {
        PollDesc descriptor = PollDescInterleavings.Open(run, out GoScheduler scheduler);
        descriptor.SetDeadline(PollMode.Read, 50);
        var g = new Goroutine(scheduler, 0);
        PollResult result = default;
        bool byteCame = false;
        bool over = false;
        int done = 0;
        run.Thread("reader", () =>
        {
            result = Read(descriptor, g, () => byteCame);
            over = true;
        });
        run.Thread("setter", () =>
        {
            descriptor.SetDeadline(PollMode.Read, long.MaxValue);
            done++;
        });
        run.Thread("timers", () =>
        {
            Fire(scheduler, 60);
            done++;
        });
        run.Thread("poller", () =>
        {
            Run.WaitUntil("the others", () => done == 2);
            if (over)
                return;
            byteCame = true;
            PollDescInterleavings.Event(descriptor);
        });
        run.Finally(() =>
        {
            Assert.True(result is PollResult.Timeout or PollResult.Ready);
            Assert.Equal(PollResult.Ready, descriptor.Check(PollMode.Read));
            Assert.Equal(long.MaxValue, scheduler.Timers.When);
        });
    };

    [Fact]
    public void A_deadline_that_is_cleared_ends_no_later_wait() =>
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = 1 }, s_clears)}, {Explore.Random(s_bounds, 20260113, 3_000, s_clears)}");

    // A deadline passes, the descriptor is closed and an event comes, all while somebody begins to wait.
    private static readonly Action<Run> s_allAtOnce = run =>
    {
        PollDesc descriptor = PollDescInterleavings.Open(run, out GoScheduler scheduler);
        descriptor.SetDeadline(PollMode.Read, 50);
        descriptor.SetDeadline(PollMode.Write, 55);
        var results = new PollResult[2];
        foreach (PollMode mode in Enum.GetValues<PollMode>())
        {
            var g = new Goroutine(scheduler, (int)mode);
            run.Thread($"{mode}", () => results[(int)mode] = PollDescInterleavings.Wait(descriptor, g, mode));
        }
        run.Thread("timers", () => Fire(scheduler, 60));
        run.Thread("poller", () => PollDescInterleavings.Event(descriptor));
        run.Thread("closer", descriptor.Evict);
        run.Finally(() =>
        {
            Assert.True(results[0] is PollResult.Ready or PollResult.Timeout or PollResult.Closing);
            Assert.True(results[1] is PollResult.Timeout or PollResult.Closing);
        });
    };

    [Fact]
    public void A_deadline_an_event_and_a_close_wake_each_direction_once() =>
        output.WriteLine($"{Explore.Random(s_bounds, 20260114, 6_000, s_allAtOnce)}");

    // ---- The next user ----

    // The timer has been taken off for its first user, and fires, at 60, at any moment of the second's life.
    private static Action<Run> FiresForTheFormerUser(long deadline) => run =>
    {
        PollDesc descriptor = PollDescInterleavings.Open(run, out GoScheduler scheduler);
        descriptor.SetDeadline(PollMode.Read, 50);
        var g = new Goroutine(scheduler, 0);
        run.Thread("timers", () => Fire(scheduler, 60));
        run.Thread("users", () =>
        {
            descriptor.Retire();
            descriptor.Open(scheduler);
            descriptor.SetDeadline(PollMode.Read, deadline);
            Assert.True(PollDescInterleavings.Parks(descriptor, g, PollMode.Read, out _));
        });
        run.Finally(() =>
        {
            Assert.True(g.IsParked);
            Assert.Equal(PollResult.Ready, descriptor.Check(PollMode.Read));
            Assert.True(scheduler.Timers.When <= deadline, "No timer stands for the deadline.");
        });
    };

    [Theory]
    [InlineData(100)]
    [InlineData(long.MaxValue)]
    public void A_timer_of_the_former_user_does_nothing_to_the_next(long deadline) =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 3 }, FiresForTheFormerUser(deadline))}");

    [Fact]
    public void A_timer_of_the_former_user_without_the_monitor_is_found() =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { Preemptions = 3, DelayedStores = 0, Weakness = Weakness.LocksDoNothing }, FiresForTheFormerUser(100)));
}
