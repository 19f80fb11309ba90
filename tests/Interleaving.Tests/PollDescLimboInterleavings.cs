using NetGo.Netpoll;

namespace NetGo.Interleaving.Tests;

/// <summary>PollDescLimbo.cs and PollDescTable.cs, with PollDesc.cs, under a poller and the system as they are modelled here: an event
/// of a descriptor's former user never reaches the next user of its PollDesc, and each PollDesc comes back, once.</summary>
public sealed class PollDescLimboInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 2 };

    /// <summary>What is wrong with the poller.</summary>
    public enum Mistake
    {
        None,

        /// <summary>A PollDesc goes back to the table when its descriptor is closed.</summary>
        HasNoLimbo,

        /// <summary>The event's sequence is not looked at.</summary>
        IgnoresSequence,
    }

    /// <summary>A descriptor as the system and its user know it.</summary>
    private sealed class Descriptor(PollDesc desc)
    {
        public PollDesc Desc => desc;

        public uint Sequence { get; } = desc.Sequence;

        public bool IsRegistered = true;

        public bool HasEvent;
    }

    /// <summary>A poller over a system that reports each event once and forgets a descriptor when it is closed: in one step each, like
    /// epoll_wait(2) and close(2).</summary>
    private sealed class World
    {
        private readonly Run _run;
        private readonly Mistake _mistake;
        private readonly PollDescLimbo _limbo;
        private readonly List<Descriptor> _descriptors = [];
        private readonly List<PollDesc> _rented = [];
        private readonly int _inUseBefore = PollDescTable.InUse;

        public World(Run run, Mistake mistake)
        {
            _run = run;
            _mistake = mistake;
            _limbo = run.Share(new PollDescLimbo());
            Scheduler = new GoScheduler(run, 1);
        }

        public GoScheduler Scheduler { get; }

        /// <summary>Somebody else has the descriptors too: their events come even after they are closed here.</summary>
        public bool AreShared { get; init; }

        /// <summary>A registered descriptor, for a test's setup.</summary>
        public Descriptor Make(bool hasEvent)
        {
            var descriptor = new Descriptor(_run.Share(PollDescTable.Rent(Scheduler))) { HasEvent = hasEvent };
            _descriptors.Add(descriptor);
            return descriptor;
        }

        /// <summary>Makes known the PollDesc that is rented next when none comes back before.</summary>
        public void ShareNext()
        {
            PollDesc next = PollDescTable.Rent(Scheduler);
            _run.Share(next);
            PollDescTable.Return(next);
        }

        public void Poll()
        {
            _limbo.EnterPoll();
            Run.Point();
            var events = new List<(uint Index, uint Sequence)>();
            foreach (Descriptor d in _descriptors.Where(static d => d is { IsRegistered: true, HasEvent: true }))
            {
                d.HasEvent = false;
                events.Add((d.Desc.Index, d.Sequence));
            }
            foreach ((uint index, uint sequence) in events)
                Dispatch(index, sequence);
            _limbo.ExitPoll();
        }

        private void Dispatch(uint index, uint sequence)
        {
            PollDesc desc = PollDescTable.Get(index);
            Run.Point();
            if (desc.Sequence != sequence && _mistake != Mistake.IgnoresSequence)
                return;
            Run.Point();
            desc.PeerHasClosed();
            GoroutineQueue ready = default;
            desc.EventCame(PollMode.Read, ref ready);
        }

        public void Close(Descriptor descriptor)
        {
            Run.Point();
            descriptor.IsRegistered &= AreShared;
            if (_mistake == Mistake.HasNoLimbo)
                PollDescTable.Return(descriptor.Desc);
            else
                _limbo.Add(descriptor.Desc);
        }

        /// <summary>A new user, who parks. What is returned is its PollDesc.</summary>
        public PollDesc OpenAndPark(Goroutine g, bool hasEvent)
        {
            PollDesc desc = PollDescTable.Rent(Scheduler);
            _rented.Add(desc);
            Run.Point();
            _descriptors.Add(new Descriptor(desc) { HasEvent = hasEvent });
            if (!PollDescInterleavings.Parks(desc, g, PollMode.Read, out _))
                Assert.True(hasEvent, "The next user was made ready by an event of the former one.");
            return desc;
        }

        /// <summary>Somebody takes one, and does nothing with it.</summary>
        public void TakeOne() => _rented.Add(PollDescTable.Rent(Scheduler));

        /// <summary>All that was closed has come back, and nothing twice. For a Finally.</summary>
        public void CheckAndGiveBack()
        {
            Assert.Equal(_inUseBefore + _rented.Count, PollDescTable.InUse);
            PollDesc[] next = [.. Enumerable.Range(0, 4).Select(_ => PollDescTable.Rent(Scheduler))];
            Assert.Equal(next.Length + _rented.Count, next.Concat(_rented).Distinct().Count());
            foreach (PollDesc desc in next.Reverse().Concat(_rented))
                PollDescTable.Return(desc);
        }
    }

    // ---- The next user ----

    // Two pollers (one is sysmon's look), one who closes what has an event, and one who takes the next free PollDesc.
    private static Action<Run> UsesAgain(Mistake mistake, bool areShared = false, int pollers = 2) => run =>
    {
        var world = new World(run, mistake) { AreShared = areShared };
        Descriptor former = world.Make(hasEvent: true);
        world.ShareNext();
        var g = new Goroutine(world.Scheduler, 0);
        PollDesc? next = null;
        for (int i = 0; i < pollers; i++)
            run.Thread($"poller {i}", world.Poll);
        run.Thread("closer", () => world.Close(former));
        run.Thread("next", () => next = world.OpenAndPark(g, hasEvent: false));
        run.Finally(() =>
        {
            Assert.True(g.IsParked, "The next user was woken by an event of the former one.");
            Assert.False(next!.PeerClosed);
            world.CheckAndGiveBack();
        });
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_event_of_the_former_user_does_not_reach_the_next(bool areShared) =>
        output.WriteLine($"{Explore.All(s_bounds, UsesAgain(Mistake.None, areShared, pollers: 1))}, {Explore.Random(
            s_bounds with { DelayedStores = 1 }, 20260115, 3_000, UsesAgain(Mistake.None, areShared))}");

    [Theory]
    [InlineData(Mistake.HasNoLimbo, false)]
    [InlineData(Mistake.IgnoresSequence, true)]
    public void A_poller_that_is_wrong_is_found(Mistake mistake, bool areShared) =>
        Assert.NotNull(Explore.FindFailure(s_bounds, UsesAgain(mistake, areShared)));

    [Fact]
    public void A_poll_begun_without_a_fence_is_found() =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 1, Weakness = Weakness.InterlockedIsNoFence, WeakIn = "EnterPoll" },
            UsesAgain(Mistake.None, pollers: 1)));

    // One of two closers, or of two pollers, has seen that nobody polls just before somebody does.
    private static readonly Action<Run> s_letsGoLate = run =>
    {
        var world = new World(run, Mistake.None);
        Descriptor other = world.Make(hasEvent: false);
        Descriptor former = world.Make(hasEvent: true);
        world.ShareNext();
        var g = new Goroutine(world.Scheduler, 0);
        run.Thread("closer 0", () => world.Close(other));
        run.Thread("poller", world.Poll);
        run.Thread("closer 1", () => world.Close(former));
        run.Thread("next", () =>
        {
            world.TakeOne(); // the last that came back
            world.OpenAndPark(g, hasEvent: false);
        });
        run.Finally(() =>
        {
            Assert.True(g.IsParked, "The next user was woken by an event of the former one.");
            world.CheckAndGiveBack();
        });
    };

    [Fact]
    public void Who_lets_go_late_keeps_what_a_poll_may_have_in_hand() =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 1 }, s_letsGoLate)}, {Explore.Random(
            s_bounds, 20260117, 5_000, s_letsGoLate)}");

    [Fact]
    public void Letting_go_without_another_look_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.ReadsSeeNothing, WeakIn = "LetGo" }, s_letsGoLate));

    // The next user has an event of its own, which is not lost in what is done about the former's.
    [Fact]
    public void An_event_of_the_next_user_reaches_it()
    {
        output.WriteLine($"{Explore.All(s_bounds, Setup)}");

        static void Setup(Run run)
        {
            var world = new World(run, Mistake.None);
            Descriptor former = world.Make(hasEvent: true);
            var g = new Goroutine(world.Scheduler, 0);
            PollDesc? next = null;
            run.Thread("poller", () =>
            {
                world.Poll();
                world.Poll();
            });
            run.Thread("closer", () => world.Close(former));
            run.Thread("next", () => next = world.OpenAndPark(g, hasEvent: true));
            run.Finally(() =>
            {
                world.Poll();
                Assert.False(g.IsParked);
                Assert.True(next!.PeerClosed);
                world.CheckAndGiveBack();
            });
        }
    }

    // ---- None is lost ----

    // Pollers end, and descriptors are closed, at any moment; then all have come back.
    private static Action<Run> Closes(int pollers, int closers) => run =>
    {
        var world = new World(run, Mistake.None);
        for (int i = 0; i < pollers; i++)
            run.Thread($"poller {i}", world.Poll);
        for (int i = 0; i < closers; i++)
        {
            Descriptor descriptor = world.Make(hasEvent: true);
            run.Thread($"closer {i}", () => world.Close(descriptor));
        }
        run.Finally(world.CheckAndGiveBack);
    };

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 1)]
    [InlineData(1, 2, 0)]
    public void All_come_back_when_nobody_polls(int pollers, int closers, int delayedStores) =>
        output.WriteLine($"{Explore.All(
            s_bounds with { DelayedStores = delayedStores, Weakness = Weakness.LeavingALockIsNoFence }, Closes(pollers, closers))}");

    [Fact]
    public void All_come_back_in_random_order() =>
        output.WriteLine($"{Explore.Random(
            s_bounds with { DelayedStores = 1, Weakness = Weakness.LeavingALockIsNoFence }, 20260116, 3_000, Closes(2, 3))}");

    // Its lock is no fence on Arm, so it has one of its own.
    [Fact]
    public void An_addition_without_a_fence_is_found() =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 1, Weakness = Weakness.LeavingALockIsNoFence | Weakness.BarriersDoNothing, WeakIn = "Add" },
            Closes(1, 1)));

    [Theory]
    [InlineData("ExitPoll", Weakness.InterlockedIsNoFence, 1, 1)]
    [InlineData("EnterPoll ExitPoll", Weakness.UpdatesAreNotAtomic, 2, 1)]
    public void A_step_that_is_weakened_is_found(string member, object weakness, int pollers, int closers) =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 1, Weakness = (Weakness)weakness, WeakIn = member }, Closes(pollers, closers)));

    [Fact]
    public void A_missing_lock_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.LocksDoNothing }, Closes(1, 2)));
}
