namespace NetGo.Interleaving.Tests;

/// <summary>GoroutineState.cs: of those who would take a goroutine that waits for a foreign task, exactly one does, and one that
/// has ended is buried once.</summary>
public sealed class GoroutineStateInterleavings(ITestOutputHelper output)
{
    private static readonly Bounds s_bounds = new() { Preemptions = 3, PlainAccesses = true };

    /// <summary>What of Goroutine.cs has to do with Waiting(T): the end of a run, Post, and the hook on the body's task.</summary>
    private sealed class Foreign
    {
        private GoroutineState _state;
        private int _bodyIsCompleted;

        public Foreign()
        {
            _state.Set(GoroutineStatus.Runnable);
            _state.Set(GoroutineStatus.Running);
        }

        public bool LooksAgain { get; init; } = true;

        public bool IsQueued { get; private set; }

        public int Branches { get; private set; }

        public int Burials { get; private set; }

        public GoroutineStatus Status => _state.Status;

        /// <summary>Goroutine.EndRun.</summary>
        public void EndRun()
        {
            if (Volatile.Read(ref _bodyIsCompleted) != 0)
            {
                _state.Set(GoroutineStatus.Dead);
                Bury();
                return;
            }
            _state.ParkForTask();
            if (LooksAgain && Volatile.Read(ref _bodyIsCompleted) != 0 && _state.TryTakeFromTask(GoroutineStatus.Dead))
                Bury();
        }

        /// <summary>Goroutine.Post.</summary>
        public void Post()
        {
            if (!_state.TryTakeFromTask(GoroutineStatus.Runnable))
            {
                Branches++;
                return;
            }
            Assert.False(IsQueued, "It is on a run queue twice.");
            IsQueued = true;
        }

        /// <summary>The machine that took it from the run queue.</summary>
        public void RunAgain()
        {
            IsQueued = false;
            _state.Set(GoroutineStatus.Running);
            EndRun();
        }

        /// <summary>The body's task completes (a full fence) and calls the hook.</summary>
        public void CompleteBody()
        {
            Interlocked.Exchange(ref _bodyIsCompleted, 1);
            if (_state.TryTakeFromTask(GoroutineStatus.Dead))
                Bury();
        }

        private void Bury()
        {
            Assert.False(IsQueued, "It is buried and on a run queue.");
            Burials++;
        }
    }

    private static Action<Run> Ends(int posts, bool looksAgain = true) => run =>
    {
        Foreign g = run.Share(new Foreign { LooksAgain = looksAgain });
        int atWork = 2 + posts;
        int runs = 0;
        run.Thread("machine", () =>
        {
            g.EndRun();
            atWork--;
        });
        run.Thread("body", () =>
        {
            g.CompleteBody();
            atWork--;
        });
        for (int i = 0; i < posts; i++)
        {
            run.Thread($"post {i}", () =>
            {
                g.Post();
                atWork--;
            });
        }
        run.Thread("machine 2", () =>
        {
            while (true)
            {
                Run.WaitUntil("a post", () => g.IsQueued || atWork == 0);
                if (!g.IsQueued)
                    return;
                runs++;
                g.RunAgain();
            }
        });
        run.Finally(() =>
        {
            Assert.Equal(posts, runs + g.Branches);
            Assert.Equal(GoroutineStatus.Dead, g.Status);
            Assert.Equal(1, g.Burials);
        });
    };

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public void Exactly_one_takes_it_from_its_task(int posts, int preemptions) =>
        output.WriteLine($"{Explore.All(s_bounds with { Preemptions = preemptions }, Ends(posts))}");

    [Fact]
    public void Exactly_one_takes_it_in_random_order() =>
        output.WriteLine($"{Explore.Random(s_bounds, 20260104, 5_000, Ends(posts: 2))}");

    [Fact]
    public void An_end_that_nobody_sees_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds, Ends(posts: 0, looksAgain: false)));

    [Fact]
    public void A_missing_fence_between_parking_and_looking_is_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { DelayedStores = 1, Weakness = Weakness.InterlockedIsNoFence }, Ends(posts: 0)));

    [Fact]
    public void Two_that_take_it_are_found() =>
        Assert.NotNull(Explore.FindFailure(s_bounds with { Weakness = Weakness.CompareExchangeIsNotAtomic }, Ends(posts: 1)));
}
