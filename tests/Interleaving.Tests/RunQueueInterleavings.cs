namespace NetGo.Interleaving.Tests;

/// <summary>RunQueue.cs: what was put comes out once and in order, whoever takes it. The slots are plain memory that the owner
/// writes while a thief may be reading, hence PlainAccesses.</summary>
public sealed class RunQueueInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 2, PlainAccesses = true };

    /// <summary>Makes goroutines 0, 1, 2... and checks at the end of a run that each was taken by somebody or is still on a ring.</summary>
    private sealed class Ledger
    {
        private readonly List<RunQueue> _rings = [];
        private readonly List<List<int>> _takers = [];
        private GoroutineQueue _overflow;
        private int _made;

        public Ledger(Run run) => run.Finally(Check);

        public ref GoroutineQueue Overflow => ref _overflow;

        public Goroutine New() => new(null!, _made++);

        public RunQueue Ring(Run run, int goroutines = 0)
        {
            RunQueue ring = run.Share(new RunQueue());
            for (int i = 0; i < goroutines; i++)
                Assert.True(ring.TryPut(New()));
            _rings.Add(ring);
            return ring;
        }

        /// <summary>A place to note what one thread takes, in order.</summary>
        public List<int> Taker()
        {
            _takers.Add([]);
            return _takers[^1];
        }

        private void Check()
        {
            var all = new List<int>();
            foreach (RunQueue ring in _rings)
            {
                int before = -1;
                while (ring.TryGet() is { } g)
                {
                    Assert.True(g.Id > before, "A ring is not in order.");
                    all.Add(before = g.Id);
                }
            }
            while (_overflow.PopFront() is { } g)
                all.Add(g.Id);
            foreach (List<int> taken in _takers)
                all.AddRange(taken);
            all.Sort();
            Assert.Equal(Enumerable.Range(0, _made), all);
        }
    }

    private static void Thief(Run run, Ledger ledger, string name, RunQueue victim)
    {
        RunQueue ring = ledger.Ring(run);
        List<int> taken = ledger.Taker();
        run.Thread(name, () =>
        {
            if (victim.StealHalfInto(ring) is { } g)
                taken.Add(g.Id);
        });
    }

    private static void OwnerPutsAndGets(Run run)
    {
        var ledger = new Ledger(run);
        RunQueue ring = ledger.Ring(run, goroutines: 2);
        List<int> taken = ledger.Taker();
        run.Thread("owner", () =>
        {
            Assert.True(ring.TryPut(ledger.New()));
            Get();
            Assert.True(ring.TryPut(ledger.New()));
            Get();
        });
        Thief(run, ledger, "thief 1", ring);
        Thief(run, ledger, "thief 2", ring);

        void Get()
        {
            if (ring.TryGet() is not { } g)
                return;
            Assert.True(taken.Count == 0 || g.Id > taken[^1], "The owner's are not in order.");
            taken.Add(g.Id);
        }
    }

    [Fact]
    public void Owner_and_two_thieves_lose_and_double_nothing() =>
        output.WriteLine($"{Explore.All(s_bounds, OwnerPutsAndGets)}");

    [Fact]
    public void The_same_when_the_tail_is_seen_late() =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = 1, DelayedStores = 1 }, OwnerPutsAndGets)}");

    [Fact]
    public void The_same_in_random_order() =>
        output.WriteLine($"{Explore.Random(s_bounds with { DelayedStores = 1 }, 20260101, 5_000, OwnerPutsAndGets)}");

    [Fact]
    public void A_head_that_is_not_swapped_atomically_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.CompareExchangeIsNotAtomic }, OwnerPutsAndGets));

    // The ring is full, so the put goes to the slot that the get has just left, which a slow thief may be reading.
    private static void OwnerWritesOverASlot(Run run)
    {
        var ledger = new Ledger(run);
        RunQueue ring = ledger.Ring(run, goroutines: RunQueue.Capacity);
        List<int> taken = ledger.Taker();
        run.Thread("owner", () =>
        {
            if (ring.TryGet() is { } g)
                taken.Add(g.Id);
            Assert.True(ring.TryPut(ledger.New()));
        });
        Thief(run, ledger, "thief 1", ring);
        Thief(run, ledger, "thief 2", ring);
    }

    [Fact]
    public void A_slot_that_is_written_over_is_not_stolen() =>
        output.WriteLine(
            $"{Explore.All(s_bounds, OwnerWritesOverASlot)}, {Explore.All(s_bounds with { Preemptions = 1, DelayedStores = 1 }, OwnerWritesOverASlot)}");

    [Fact]
    public void A_stolen_slot_that_was_written_over_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.CompareExchangeIsNotAtomic }, OwnerWritesOverASlot));

    // Processor.PutOverflow.
    private static void OwnerOverflows(Run run)
    {
        var ledger = new Ledger(run);
        RunQueue ring = ledger.Ring(run, goroutines: RunQueue.Capacity);
        run.Thread("owner", () =>
        {
            Goroutine g = ledger.New();
            while (!ring.TryPut(g))
            {
                if (!ring.TakeHalfForOverflow(ref ledger.Overflow))
                    continue;
                ledger.Overflow.PushBack(g);
                break;
            }
        });
        Thief(run, ledger, "thief 1", ring);
        Thief(run, ledger, "thief 2", ring);
    }

    [Fact]
    public void An_overflow_and_two_thieves_lose_and_double_nothing() =>
        output.WriteLine($"{Explore.All(s_bounds, OwnerOverflows)}");

    [Fact]
    public void An_overflow_that_swaps_the_head_in_two_steps_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.CompareExchangeIsNotAtomic }, OwnerOverflows));

    [Fact]
    public void A_thief_that_is_stolen_from_loses_and_doubles_nothing()
    {
        output.WriteLine($"{Explore.All(s_bounds, Setup)}");

        static void Setup(Run run)
        {
            var ledger = new Ledger(run);
            RunQueue ring = ledger.Ring(run, goroutines: 4);
            RunQueue thiefs = ledger.Ring(run);
            List<int> taken = ledger.Taker();
            run.Thread("thief", () =>
            {
                if (ring.StealHalfInto(thiefs) is { } first)
                    taken.Add(first.Id);
                if (thiefs.TryGet() is { } second)
                    taken.Add(second.Id);
            });
            Thief(run, ledger, "its thief", thiefs);
            Thief(run, ledger, "other", ring);
        }
    }
}
