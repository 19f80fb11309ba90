using NetGo.Netpoll;

namespace NetGo.Interleaving.Tests;

/// <summary>PollDesc.cs, but for its timer: no event, close, cancellation or passed deadline is missed by who waits, and who is woken
/// is woken once (the goroutine of Stubs/ insists on that).</summary>
public sealed class PollDescInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 3, PlainAccesses = true };

    /// <summary>What ends a wait.</summary>
    public enum Ending
    {
        Event,
        Close,
        Cancel,
        Expire,
    }

    internal static PollDesc Open(Run run, out GoScheduler scheduler)
    {
        scheduler = new GoScheduler(run, 1);
        PollDesc descriptor = run.Share(new PollDesc(0));
        descriptor.Open(scheduler);
        return descriptor;
    }

    /// <summary>What the await of WaitAsync does on a goroutine.</summary>
    internal static PollResult Wait(PollDesc descriptor, Goroutine g, PollMode mode = PollMode.Read)
    {
        if (!Parks(descriptor, g, mode, out PollResult result))
            return result;
        g.WaitUntilReady();
        return descriptor.TakeResult(mode);
    }

    /// <summary>Its first half. False when the wait was over at once.</summary>
    internal static bool Parks(PollDesc descriptor, Goroutine g, PollMode mode, out PollResult result)
    {
        g.Begin();
        result = default;
        ValueTask<PollResult> wait = descriptor.WaitAsync(mode);
        if (wait.IsCompleted)
        {
            result = wait.GetAwaiter().GetResult();
            return false;
        }
        descriptor.ParkCurrent(mode, static _ => { }, null);
        return true;
    }

    internal static void Event(PollDesc descriptor, PollMode mode = PollMode.Read)
    {
        GoroutineQueue ready = default;
        descriptor.EventCame(mode, ref ready);
    }

    private static void End(PollDesc descriptor, Ending how, PollMode mode = PollMode.Read)
    {
        switch (how)
        {
            case Ending.Event:
                Event(descriptor, mode);
                break;
            case Ending.Close:
                descriptor.Evict();
                break;
            case Ending.Cancel:
                descriptor.Cancel(mode);
                break;
            default:
                descriptor.Expire(mode);
                break;
        }
    }

    private static PollResult ResultOf(Ending how) => how switch
    {
        Ending.Event => PollResult.Ready,
        Ending.Close => PollResult.Closing,
        Ending.Cancel => PollResult.Cancelled,
        _ => PollResult.Timeout,
    };

    // ---- One who waits ----

    private static Action<Run> Waits(params Ending[] endings) => run =>
    {
        PollDesc descriptor = Open(run, out GoScheduler scheduler);
        var g = new Goroutine(scheduler, 0);
        PollResult result = default;
        run.Thread("waiter", () => result = Wait(descriptor, g));
        foreach (Ending ending in endings)
            run.Thread($"{ending}", () => End(descriptor, ending));
        run.Finally(() =>
        {
            Assert.Contains(result, endings.Select(ResultOf));
            // What stays, and what the next wait will find: an event answered with Ready has left the cancellation to it. One that has
            // been told is the caller's to clear, if the wait has not.
            if (result == PollResult.Cancelled)
                descriptor.ClearCancelled(PollMode.Read);
            PollResult stays =
                endings.Contains(Ending.Close) ? PollResult.Closing :
                endings.Contains(Ending.Expire) ? PollResult.Timeout :
                endings.Contains(Ending.Cancel) && result != PollResult.Cancelled ? PollResult.Cancelled : PollResult.Ready;
            Assert.Equal(stays, descriptor.Check(PollMode.Read));
        });
    };

    [Theory]
    [InlineData(Ending.Event)]
    [InlineData(Ending.Close)]
    [InlineData(Ending.Cancel)]
    [InlineData(Ending.Expire)]
    public void What_ends_a_wait_is_not_missed(Ending how) =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 2, DelayedStores = 1 }, Waits(how))}");

    [Theory]
    [InlineData(Ending.Event, Ending.Event)]
    [InlineData(Ending.Event, Ending.Close)]
    [InlineData(Ending.Event, Ending.Cancel)]
    [InlineData(Ending.Event, Ending.Expire)]
    [InlineData(Ending.Close, Ending.Close)]
    [InlineData(Ending.Close, Ending.Cancel)]
    [InlineData(Ending.Close, Ending.Expire)]
    [InlineData(Ending.Cancel, Ending.Expire)]
    [InlineData(Ending.Expire, Ending.Expire)]
    public void Two_that_end_a_wait_make_it_ready_once(Ending first, Ending second) =>
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = 2 }, Waits(first, second))}, {Explore.Random(
            s_bounds, 20260118, 500, Waits(first, second))}");

    [Fact]
    public void All_that_end_a_wait_make_it_ready_once() =>
        output.WriteLine($"{Explore.Random(
            s_bounds with { DelayedStores = 1 }, 20260110, 3_000, Waits(Ending.Event, Ending.Close, Ending.Cancel, Ending.Expire))}");

    [Theory]
    [InlineData("WaitAsync", Weakness.InterlockedIsNoFence, Ending.Close)]
    [InlineData("WaitAsync", Weakness.InterlockedIsNoFence, Ending.Expire)]
    [InlineData("UnblockAndReady", Weakness.BarriersDoNothing, Ending.Close)]
    [InlineData("UnblockAndReady", Weakness.BarriersDoNothing, Ending.Cancel)]
    [InlineData("UnblockAndReady Expire", Weakness.BarriersDoNothing | Weakness.InterlockedIsNoFence, Ending.Expire)]
    [InlineData("Publish", Weakness.CompareExchangeIsNotAtomic, Ending.Event)]
    [InlineData("Publish", Weakness.CompareExchangeIsNotAtomic, Ending.Close)]
    [InlineData("Unblock", Weakness.CompareExchangeIsNotAtomic, Ending.Event)]
    [InlineData("Unblock", Weakness.CompareExchangeIsNotAtomic, Ending.Event, Ending.Close)]
    [InlineData("Unblock", Weakness.CompareExchangeIsNotAtomic, Ending.Cancel, Ending.Expire)]
    [InlineData("Check", Weakness.ReadsSeeNothing, Ending.Cancel)]
    public void A_step_that_is_weakened_is_found(string member, object weakness, params Ending[] endings) =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 1, Weakness = (Weakness)weakness, WeakIn = member }, Waits(endings)));

    // ---- Both directions ----

    private static readonly Action<Run> s_bothDirections = run =>
    {
        PollDesc descriptor = Open(run, out GoScheduler scheduler);
        var results = new PollResult[2];
        foreach (PollMode mode in Enum.GetValues<PollMode>())
        {
            var g = new Goroutine(scheduler, (int)mode);
            run.Thread($"{mode}", () => results[(int)mode] = Wait(descriptor, g, mode));
        }
        run.Thread("poller", () =>
        {
            Event(descriptor, PollMode.Read);
            Event(descriptor, PollMode.Write);
        });
        run.Thread("closer", descriptor.Evict);
        run.Finally(() => Assert.All(results, static r => Assert.True(r is PollResult.Ready or PollResult.Closing)));
    };

    [Fact]
    public void Who_reads_and_who_writes_are_woken_once_each() =>
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = 1 }, s_bothDirections)}, {Explore.Random(
            s_bounds, 20260111, 4_000, s_bothDirections)}");

    [Theory]
    [InlineData(Ending.Event)]
    [InlineData(Ending.Cancel)]
    [InlineData(Ending.Expire)]
    public void What_ends_a_read_lets_a_write_wait_on(Ending how)
    {
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = 2 }, Setup)}");

        void Setup(Run run)
        {
            PollDesc descriptor = Open(run, out GoScheduler scheduler);
            var reader = new Goroutine(scheduler, 0);
            var writer = new Goroutine(scheduler, 1);
            PollResult result = default;
            run.Thread("reader", () => result = Wait(descriptor, reader));
            run.Thread("writer", () => Assert.True(Parks(descriptor, writer, PollMode.Write, out _)));
            run.Thread($"{how}", () => End(descriptor, how));
            run.Finally(() =>
            {
                Assert.Equal(ResultOf(how), result);
                Assert.True(writer.IsParked);
                Assert.Equal(PollResult.Ready, descriptor.Check(PollMode.Write));
                Event(descriptor, PollMode.Write);
                Assert.False(writer.IsParked);
            });
        }
    }

    // ---- A second one in the same direction ----

    [Theory]
    [InlineData(Ending.Event)]
    [InlineData(Ending.Close)]
    [InlineData(Ending.Expire)]
    public void A_second_waiter_is_refused_and_the_first_waits_on(Ending how)
    {
        int preemptions = how == Ending.Event ? 1 : 2;
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = preemptions }, Setup)}, {Explore.Random(s_bounds, 20260119, 3_000, Setup)}");

        void Setup(Run run)
        {
            PollDesc descriptor = Open(run, out GoScheduler scheduler);
            var results = new PollResult?[2];
            int ended = 0;
            for (int i = 0; i < 2; i++)
            {
                int me = i;
                var g = new Goroutine(scheduler, i);
                run.Thread($"waiter {i}", () =>
                {
                    try
                    {
                        results[me] = Wait(descriptor, g);
                    }
                    catch (InvalidOperationException)
                    {
                        // results[me] stays null
                    }
                    ended++;
                });
            }
            run.Thread($"{how}", () => End(descriptor, how));
            if (how == Ending.Event)
            {
                // When the second comes after the first has been woken, it waits as the first did, and one event is for one.
                run.Thread("end", () =>
                {
                    Run.WaitUntil("a first to end", () => ended > 0);
                    if (ended < 2)
                        Event(descriptor);
                });
            }
            run.Finally(() =>
            {
                Assert.Contains(results, static r => r is not null);
                Assert.All(results, r => Assert.True(r is null || r == ResultOf(how)));
            });
        }
    }

    // ---- What is read ----

    // A reader whose system call finds nothing waits; the poller puts a byte where the call finds it and then tells. Before that come
    // events for nothing, so that the semaphore is Ready, or is consumed, at any moment.
    private static Action<Run> Reads(bool isReadyBefore, int eventsForNothing) => run =>
    {
        PollDesc descriptor = Open(run, out GoScheduler scheduler);
        if (isReadyBefore)
            Event(descriptor);
        var g = new Goroutine(scheduler, 0);
        bool byteCame = false;
        run.Thread("reader", () =>
        {
            while (true)
            {
                Run.Point(); // the system call
                if (byteCame)
                    break;
                Assert.Equal(PollResult.Ready, Wait(descriptor, g));
            }
        });
        run.Thread("poller", () =>
        {
            for (int i = 0; i < eventsForNothing; i++)
                Event(descriptor);
            Run.Point(); // a segment arrives
            byteCame = true;
            Event(descriptor);
        });
    };

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    public void A_byte_is_read_whatever_events_for_nothing_came_before(bool isReadyBefore, int eventsForNothing) =>
        output.WriteLine($"{Explore.All(s_bounds with { DelayedStores = 1, PlainAccesses = false }, Reads(isReadyBefore, eventsForNothing))}");

    [Theory]
    [InlineData("WaitAsync", true, 0)]
    [InlineData("TakeResult", false, 1)]
    public void An_event_consumed_without_a_fence_is_found(string member, bool isReadyBefore, int eventsForNothing) =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 1, Weakness = Weakness.InterlockedIsNoFence, WeakIn = member },
            Reads(isReadyBefore, eventsForNothing)));
}
