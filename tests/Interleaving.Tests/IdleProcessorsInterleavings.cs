namespace NetGo.Interleaving.Tests;

/// <summary>IdleProcessors.cs and Machine.FindRunnable.cs: when all machines sleep no work is left, and nobody is counted as
/// spinning.</summary>
public sealed class IdleProcessorsInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 2 };

    /// <summary>A scheduler with its machines, and a thread that waits until all sleep, looks, and stops them.</summary>
    private sealed class World
    {
        private readonly Run _run;
        private readonly List<int> _ran = [];
        private int _made;
        private int _submitting;

        public World(Run run, int processors)
        {
            _run = run;
            Scheduler = new GoScheduler(run, processors);
            for (int i = 0; i < processors; i++)
            {
                Processor processor = Scheduler.Processors[i];
                var machine = new Machine(Scheduler);
                run.Thread($"machine {i}", () =>
                {
                    machine.RunAll(processor, _ran);
                    processor.HasEnded = true;
                });
            }
        }

        public GoScheduler Scheduler { get; }

        public Goroutine New(Action<Processor>? body = null) => new(Scheduler, _made++) { Body = body };

        public void Submitter(string name, Action body)
        {
            _submitting++;
            _run.Thread(name, () =>
            {
                body();
                _submitting--;
            });
        }

        public void EndWhenAllSleep() => _run.Thread("end", () =>
        {
            Run.WaitUntil("all to sleep", () => _submitting == 0 && Scheduler.AllAsleep && _run.NothingIsDelayed);
            _ran.Sort();
            Assert.Equal(Enumerable.Range(0, _made), _ran);
            Assert.True(Scheduler.NobodySpins, "All sleep, and somebody is counted as spinning.");
            Scheduler.Stop();
        });
    }

    private static Action<Run> Submits(int processors, int submitters, int each) => run =>
    {
        var world = new World(run, processors);
        for (int i = 0; i < submitters; i++)
        {
            world.Submitter($"submitter {i}", () =>
            {
                for (int n = 0; n < each; n++)
                    world.Scheduler.EnqueueGlobal(world.New());
            });
        }
        world.EndWhenAllSleep();
    };

    [Theory]
    [InlineData(1, 1, 2, 2, 0)]
    [InlineData(1, 2, 1, 2, 0)]
    [InlineData(1, 1, 2, 2, 1)]
    [InlineData(2, 1, 2, 1, 0)]
    public void No_machine_sleeps_on_submitted_work(int processors, int submitters, int each, int preemptions, int delayedStores) =>
        output.WriteLine($"{Explore.All(
            new Bounds { Preemptions = preemptions, DelayedStores = delayedStores }, Submits(processors, submitters, each))}");

    // Who would wake a processor counts as spinning before it has one. Who submits meanwhile wakes nobody, so when the first
    // finds none idle it must look again.
    [Fact]
    public void Who_wakes_and_finds_none_idle_does_not_leave_work_that_came_meanwhile()
    {
        output.WriteLine($"{Explore.All(s_bounds, Setup)}");

        static void Setup(Run run)
        {
            var world = new World(run, processors: 1);
            // It has seen one that was idle, and is no more.
            world.Submitter("waker", world.Scheduler.WakeOneSlow);
            world.Submitter("submitter", () => world.Scheduler.EnqueueGlobal(world.New()));
            world.EndWhenAllSleep();
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void No_machine_sleeps_on_submitted_work_in_random_order(int processors) =>
        output.WriteLine($"{Explore.Random(s_bounds with { DelayedStores = 1 }, 20260103, 2_000, Submits(processors, 2, 2))}");

    [Fact]
    public void An_idle_bit_set_without_a_fence_is_found() =>
        Assert.NotNull(Explore.FindFailure(
            s_bounds with { DelayedStores = 1, Weakness = Weakness.InterlockedIsNoFence }, Submits(processors: 1, submitters: 1, each: 1)));

    [Fact]
    public void A_count_of_spinning_machines_that_is_not_atomic_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.UpdatesAreNotAtomic }, Submits(processors: 2, submitters: 1, each: 2)));

    // A goroutine puts others on the ring of its machine, from which machines that were woken for them steal.
    private static void Spawns(Run run)
    {
        var world = new World(run, processors: 2);
        Assert.True(world.Scheduler.Processors[0].RunQueue.TryPut(world.New(processor =>
        {
            for (int i = 0; i < 2; i++)
            {
                processor.Put(world.New(), next: false);
                world.Scheduler.WakeOne();
            }
        })));
        world.EndWhenAllSleep();
    }

    [Fact]
    public void What_a_goroutine_spawns_is_run() =>
        output.WriteLine($"{Explore.All(s_bounds, Spawns)}");

    // Likewise who would wake a certain processor (for a timer that moved up) and finds it not idle.
    [Fact]
    public void Who_wakes_a_processor_that_is_not_idle_does_not_leave_work_that_came_meanwhile()
    {
        output.WriteLine($"{Explore.All(s_bounds, Setup)}");

        static void Setup(Run run)
        {
            var world = new World(run, processors: 1);
            world.Submitter("timer", () => world.Scheduler.WakeProcessor(world.Scheduler.Processors[0]));
            world.Submitter("submitter", () => world.Scheduler.EnqueueGlobal(world.New()));
            world.EndWhenAllSleep();
        }
    }

    // GOMAXPROCS is lowered: the machine that loses its processor may be the one that work was left to.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_processor_that_is_taken_away_leaves_no_work_behind(bool spawns)
    {
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = spawns ? 1 : 2 }, Setup)}");

        void Setup(Run run)
        {
            var world = new World(run, processors: 2);
            if (spawns)
            {
                Assert.True(world.Scheduler.Processors[1].RunQueue.TryPut(world.New(processor =>
                {
                    processor.Put(world.New(), next: false);
                    world.Scheduler.WakeOne();
                })));
            }
            world.Submitter("resizer", () => world.Scheduler.Shrink(1));
            world.Submitter("submitter", () => world.Scheduler.EnqueueGlobal(world.New()));
            world.EndWhenAllSleep();
        }
    }

    // The processor that goes looks for work in the other's queue at that time: who submits leaves the new work to it.
    [Fact]
    public void Work_left_to_a_processor_that_goes_while_it_looks_for_work_is_done_by_another() =>
        output.WriteLine($"{Explore.All(s_bounds, static run =>
        {
            var world = new World(run, processors: 2);
            Assert.True(world.Scheduler.Processors[0].RunQueue.TryPut(world.New()));
            world.Submitter("resizer", () =>
            {
                world.Scheduler.Shrink(1);
                world.Scheduler.EnqueueGlobal(world.New());
            });
            world.EndWhenAllSleep();
        })}");
}
