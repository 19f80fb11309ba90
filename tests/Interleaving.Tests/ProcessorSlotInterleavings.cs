namespace NetGo.Interleaving.Tests;

/// <summary>ProcessorSlot.cs: a processor is used by one machine at a time, and is never lost.</summary>
public sealed class ProcessorSlotInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 2, DelayedStores = 1 };

    /// <summary>A machine's part that matters here.</summary>
    private sealed class Slots(Processor? processor)
    {
        public ProcessorSlot Slot = new(processor);

        /// <summary>The scheduler's code uses the processor.</summary>
        public bool PinAndUse()
        {
            Processor? p = Slot.Pin(out int previous);
            p?.Use();
            Slot.Unpin(previous);
            return p is not null;
        }
    }

    private static int CountOf(params ReadOnlySpan<Processor?> places)
    {
        int count = 0;
        foreach (Processor? p in places)
            count += p is null ? 0 : 1;
        return count;
    }

    // Goroutine.Run is on the stack, calls into the scheduler twice, and returns.
    private static void PinsWhileSysmonTakes(Run run)
    {
        var processor = new Processor(null!, 0);
        Slots machine = run.Share(new Slots(processor));
        bool taken = false;
        run.Thread("machine", () =>
        {
            machine.Slot.Unpin(0);
            bool had = machine.PinAndUse();
            bool has = machine.PinAndUse();
            Assert.False(has && !had, "What was taken has come back.");
            machine.Slot.Pin(out _);
            machine.Slot.Get()?.Use();
        });
        run.Thread("sysmon", () =>
        {
            taken = machine.Slot.TryTake(processor);
            if (taken)
                processor.Use();
        });
        run.Finally(() => Assert.Equal(taken ? 0 : 1, CountOf(machine.Slot.Get())));
    }

    [Fact]
    public void A_processor_that_is_taken_is_not_used_by_the_machine() =>
        output.WriteLine($"{Explore.All(s_bounds, PinsWhileSysmonTakes)}");

    [Fact]
    public void The_same_in_random_order() =>
        output.WriteLine($"{Explore.Random(s_bounds, 20260102, 5_000, PinsWhileSysmonTakes)}");

    [Fact]
    public void A_missing_process_wide_barrier_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.NoProcessWideBarrier }, PinsWhileSysmonTakes));

    [Fact]
    public void The_barrier_is_about_delayed_stores_only() =>
        Explore.All(new Bounds { Preemptions = 3, Weakness = Weakness.NoProcessWideBarrier }, PinsWhileSysmonTakes);

    [Fact]
    public void A_missing_lock_is_found() =>
        Assert.NotNull(Explore.FindFailure(new Bounds { Preemptions = 3, Weakness = Weakness.LocksDoNothing }, PinsWhileSysmonTakes));

    [Fact]
    public void A_pin_within_a_pin_keeps_the_processor()
    {
        output.WriteLine($"{Explore.All(s_bounds, Setup)}");

        static void Setup(Run run)
        {
            var processor = new Processor(null!, 0);
            Slots machine = run.Share(new Slots(processor));
            run.Thread("machine", () =>
            {
                machine.Slot.Unpin(0);
                Processor? outer = machine.Slot.Pin(out int previous);
                bool inner = machine.PinAndUse();
                Assert.Equal(outer is not null, inner);
                outer?.Use();
                machine.Slot.Unpin(previous);
            });
            run.Thread("sysmon", () =>
            {
                if (machine.Slot.TryTake(processor))
                    processor.Use();
            });
        }
    }

    // Sysmon takes the processor from a blocked machine and gives it to one that waits (Machine.Resume), which then blocks in
    // turn and may lose it to the next look.
    private static void HandsOff(Run run)
    {
        var processor = new Processor(null!, 0);
        Slots first = run.Share(new Slots(processor));
        Slots second = run.Share(new Slots(null));
        bool woken = false;
        bool over = false;
        Processor? kept = null;
        run.Thread("first", () =>
        {
            first.Slot.Unpin(0);
            first.PinAndUse();
            first.Slot.Pin(out _);
            first.Slot.Get()?.Use();
        });
        run.Thread("second", () =>
        {
            Run.WaitUntil("a processor", () => woken || over);
            Processor? p = second.Slot.Get();
            p?.Use();
            second.Slot.Unpin(0);
            second.PinAndUse();
        });
        run.Thread("sysmon", () =>
        {
            if (first.Slot.TryTake(processor))
            {
                second.Slot.Give(processor);
                woken = true;
                if (second.Slot.TryTake(processor))
                {
                    processor.Use();
                    kept = processor;
                }
            }
            over = true;
        });
        run.Finally(() => Assert.Equal(1, CountOf(first.Slot.Get(), second.Slot.Get(), kept)));
    }

    [Fact]
    public void A_processor_that_is_handed_on_is_in_one_place() =>
        output.WriteLine($"{Explore.All(s_bounds with { DelayedStores = 0 }, HandsOff)}, {Explore.Random(s_bounds, 20260105, 5_000, HandsOff)}");

    [Fact]
    public void A_hand_off_without_the_barrier_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.NoProcessWideBarrier }, HandsOff));

    [Fact]
    public void Who_gives_up_and_who_takes_do_not_both_have_it()
    {
        output.WriteLine($"{Explore.All(s_bounds, Setup)}");
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.LocksDoNothing }, Setup));

        static void Setup(Run run)
        {
            var processor = new Processor(null!, 0);
            Slots machine = run.Share(new Slots(processor));
            Processor? givenUp = null;
            bool taken = false;
            run.Thread("machine", () =>
            {
                machine.Slot.Unpin(0);
                machine.Slot.Pin(out _);
                givenUp = machine.Slot.GiveUp();
                givenUp?.Use();
            });
            run.Thread("sysmon", () =>
            {
                taken = machine.Slot.TryTake(processor);
                if (taken)
                    processor.Use();
            });
            run.Finally(() => Assert.Equal(1, CountOf(givenUp, taken ? processor : null, machine.Slot.Get())));
        }
    }
}
