using NetGo.Netpoll;

namespace NetGo.Interleaving.Tests;

/// <summary>PollDesc.cs: no event, close, cancellation or deadline is missed by who waits, and who is woken is woken once. Its
/// volatile fields are plain accesses to the explorer: seen in all orders (PlainAccesses), never delayed.</summary>
public sealed class PollDescInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 3, PlainAccesses = true };

    private static PollDesc Open(Run run, out GoScheduler scheduler)
    {
        scheduler = new GoScheduler(run, 1);
        PollDesc descriptor = run.Share(new PollDesc(0));
        descriptor.Open(scheduler);
        return descriptor;
    }

    /// <summary>What the await of WaitAsync does on a goroutine.</summary>
    private static PollResult Wait(PollDesc descriptor, Goroutine g)
    {
        g.Begin();
        ValueTask<PollResult> wait = descriptor.WaitAsync(PollMode.Read);
        if (wait.IsCompleted)
            return wait.GetAwaiter().GetResult();
        descriptor.ParkCurrent(PollMode.Read, static _ => { }, null);
        g.WaitUntilReady();
        return descriptor.TakeResult(PollMode.Read);
    }

    private static void Event(PollDesc descriptor)
    {
        GoroutineQueue ready = default;
        descriptor.EventCame(PollMode.Read, ref ready);
    }

    private static Action<Run> Waits(Action<PollDesc> first, Action<PollDesc>? second, Action<PollDesc, PollResult> check) => run =>
    {
        PollDesc descriptor = Open(run, out GoScheduler scheduler);
        var g = new Goroutine(scheduler, 0);
        PollResult result = default;
        run.Thread("waiter", () => result = Wait(descriptor, g));
        run.Thread("first", () => first(descriptor));
        if (second is not null)
            run.Thread("second", () => second(descriptor));
        run.Finally(() => check(descriptor, result));
    };

    private static readonly Action<Run> s_eventAndClose = Waits(
        Event,
        static d => d.Evict(),
        static (d, result) =>
        {
            Assert.True(result is PollResult.Ready or PollResult.Closing);
            Assert.Equal(PollResult.Closing, d.Check(PollMode.Read));
        });

    [Fact]
    public void An_event_ends_the_wait() =>
        output.WriteLine($"{Explore.All(s_bounds, Waits(Event, null, static (_, result) => Assert.Equal(PollResult.Ready, result)))}");

    [Fact]
    public void A_close_ends_the_wait() =>
        output.WriteLine($"{Explore.All(
            s_bounds, Waits(static d => d.Evict(), null, static (_, result) => Assert.Equal(PollResult.Closing, result)))}");

    [Fact]
    public void A_cancellation_ends_the_wait() =>
        output.WriteLine($"{Explore.All(
            s_bounds, Waits(static d => d.Cancel(PollMode.Read), null, static (_, result) => Assert.Equal(PollResult.Cancelled, result)))}");

    [Fact]
    public void An_event_and_a_close_make_it_ready_once() =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 2 }, s_eventAndClose)}");

    [Fact]
    public void Two_events_make_it_ready_once() =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 2 }, Waits(Event, Event, static (_, result) => Assert.Equal(PollResult.Ready, result)))}");

    // An event that a wait consumes and answers with Cancelled is not missed: the next read tries its system call first.
    [Fact]
    public void An_event_and_a_cancellation_make_it_ready_once() =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 2 }, Waits(
            Event,
            static d => d.Cancel(PollMode.Read),
            static (d, result) =>
            {
                Assert.True(result is PollResult.Ready or PollResult.Cancelled);
                if (result == PollResult.Ready)
                    Assert.Equal(PollResult.Cancelled, d.Check(PollMode.Read)); // which the next wait will find
            }))}");

    [Fact]
    public void A_semaphore_that_is_not_swapped_atomically_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.CompareExchangeIsNotAtomic }, s_eventAndClose));

    // The timer stands at 50 for a deadline of 50, and fires at 60 while the deadline is moved.
    private static Action<Run> MovesDeadline(long to) => run =>
    {
        PollDesc descriptor = Open(run, out GoScheduler scheduler);
        descriptor.SetDeadline(PollMode.Read, 50);
        run.Thread("mover", () => descriptor.SetDeadline(PollMode.Read, to));
        run.Thread("timers", () => scheduler.Timers.TakeDue(60)?.Fire(60));
        run.Finally(() =>
        {
            Assert.Equal(PollResult.Ready, descriptor.Check(PollMode.Read));
            Assert.True(scheduler.Timers.When <= to, "No timer stands for the deadline.");
        });
    };

    [Theory]
    [InlineData(100)]
    [InlineData(70)]
    public void A_deadline_that_is_moved_while_the_timer_fires_keeps_a_timer(long to) =>
        output.WriteLine($"{Explore.All(s_bounds with { DelayedStores = 1 }, MovesDeadline(to))}");

    [Fact]
    public void A_deadline_written_without_a_fence_is_found() =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 2, Weakness = Weakness.InterlockedIsNoFence }, MovesDeadline(100)));
}
