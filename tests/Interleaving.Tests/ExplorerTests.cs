namespace NetGo.Interleaving.Tests;

/// <summary>The explorer finds what textbooks say there is, and nothing else.</summary>
public sealed class ExplorerTests
{
    private sealed class Pair
    {
        public int A;
        public int B;
    }

    [Fact]
    public void All_interleavings_of_two_threads_are_run_once()
    {
        var seen = new List<string>();
        Exploration exploration = Explore.All(new Bounds { Preemptions = 10 }, run =>
        {
            var shared = new Pair();
            var order = new List<char>();
            run.Thread("x", () => Twice('x'));
            run.Thread("y", () => Twice('y'));
            run.Finally(() => seen.Add(string.Concat(order)));

            void Twice(char c)
            {
                for (int i = 0; i < 2; i++)
                {
                    Volatile.Write(ref shared.A, 1);
                    order.Add(c);
                }
            }
        });
        Assert.True(exploration.Complete);
        Assert.Equal(["xxyy", "xyxy", "xyyx", "yxxy", "yxyx", "yyxx"], seen.Order());
    }

    [Fact]
    public void An_increment_in_two_steps_is_lost()
    {
        InterleavingException? failure = Explore.FindFailure(new Bounds { Preemptions = 1 }, Counting(atomic: false));
        Assert.NotNull(failure);
        Explore.All(new Bounds(), Counting(atomic: true));
    }

    private static Action<Run> Counting(bool atomic) => run =>
    {
        var shared = new Pair();
        for (int i = 0; i < 3; i++)
        {
            run.Thread($"t{i}", () =>
            {
                if (atomic)
                    Interlocked.Increment(ref shared.A);
                else
                    Volatile.Write(ref shared.A, Volatile.Read(ref shared.A) + 1);
            });
        }
        run.Finally(() => Assert.Equal(3, shared.A));
    };

    // Store buffering: with total store order both may read 0, unless there is a fence in both.
    [Theory]
    [InlineData(0, false, false)]
    [InlineData(1, false, true)]
    [InlineData(2, false, true)]
    [InlineData(2, true, false)]
    public void Both_read_the_old_value_only_when_stores_may_be_delayed_and_nothing_fences(int delayedStores, bool fence, bool found)
    {
        var bounds = new Bounds { DelayedStores = delayedStores };
        Assert.Equal(found, Explore.FindFailure(bounds, Setup) is not null);
        Assert.Equal(found, Explore.FindFailure(bounds, 1, 500, Setup) is not null);

        void Setup(Run run)
        {
            Pair shared = run.Share(new Pair());
            int a = -1;
            int b = -1;
            run.Thread("x", () => b = StoreAndLoad(ref shared.A, ref shared.B));
            run.Thread("y", () => a = StoreAndLoad(ref shared.B, ref shared.A));
            run.Finally(() => Assert.True(a + b > 0, "both read 0"));
        }

        int StoreAndLoad(ref int mine, ref int other)
        {
            Volatile.Write(ref mine, 1);
            if (fence)
                Interlocked.MemoryBarrier();
            return Volatile.Read(ref other);
        }
    }

    [Fact]
    public void A_process_wide_barrier_on_one_side_is_enough()
    {
        Assert.Null(Explore.FindFailure(new Bounds { DelayedStores = 2 }, Setup));
        Assert.NotNull(Explore.FindFailure(new Bounds { DelayedStores = 2, Weakness = Weakness.NoProcessWideBarrier }, Setup));

        static void Setup(Run run)
        {
            Pair shared = run.Share(new Pair());
            int a = -1;
            int b = -1;
            run.Thread("fast", () =>
            {
                Volatile.Write(ref shared.A, 1);
                b = Volatile.Read(ref shared.B);
            });
            run.Thread("slow", () =>
            {
                Volatile.Write(ref shared.B, 1);
                Interlocked.MemoryBarrierProcessWide();
                a = Volatile.Read(ref shared.A);
            });
            run.Finally(() => Assert.True(a + b > 0, "both read 0"));
        }
    }

    // Message passing: stores of one thread are seen in order.
    [Fact]
    public void Who_sees_the_flag_sees_the_data() =>
        Explore.All(new Bounds { Preemptions = 3, DelayedStores = 2 }, run =>
        {
            Pair shared = run.Share(new Pair());
            run.Thread("writer", () =>
            {
                Volatile.Write(ref shared.A, 42);
                Volatile.Write(ref shared.B, 1);
            });
            run.Thread("reader", () =>
            {
                if (Volatile.Read(ref shared.B) == 1)
                    Assert.Equal(42, Volatile.Read(ref shared.A));
            });
        });

    [Fact]
    public void A_thread_sees_its_own_delayed_stores() =>
        Explore.All(new Bounds { DelayedStores = 2 }, run =>
        {
            Pair shared = run.Share(new Pair());
            run.Thread("writer", () =>
            {
                Volatile.Write(ref shared.A, 1);
                Volatile.Write(ref shared.A, 2);
                Assert.Equal(2, Volatile.Read(ref shared.A));
            });
            run.Finally(() => Assert.Equal(2, shared.A));
        });

    [Fact]
    public void A_deadlock_is_found()
    {
        InterleavingException? failure = Explore.FindFailure(new Bounds { Preemptions = 1 }, static run =>
        {
            var first = new Lock();
            var second = new Lock();
            run.Thread("x", () => LockBoth(first, second));
            run.Thread("y", () => LockBoth(second, first));
        });
        Assert.Contains("deadlock", failure?.Message, StringComparison.Ordinal);

        static void LockBoth(Lock a, Lock b)
        {
            lock (a)
            {
                lock (b)
                    Run.Point();
            }
        }
    }

    [Fact]
    public void A_lock_excludes_unless_it_is_weakened()
    {
        Explore.All(new Bounds(), Setup);
        Assert.NotNull(Explore.FindFailure(new Bounds { Weakness = Weakness.LocksDoNothing }, Setup));

        static void Setup(Run run)
        {
            var gate = new Lock();
            bool inside = false;
            for (int i = 0; i < 3; i++)
                run.Thread($"t{i}", Enter);

            void Enter()
            {
                lock (gate)
                {
                    Assert.False(inside);
                    inside = true;
                    Run.Point();
                    inside = false;
                }
            }
        }
    }

    [Fact]
    public void A_plain_access_between_two_operations_is_a_step_of_its_own_when_asked_for()
    {
        var bounds = new Bounds { Preemptions = 1 };
        Assert.Null(Explore.FindFailure(bounds, Setup));
        Assert.NotNull(Explore.FindFailure(bounds with { PlainAccesses = true }, Setup));

        static void Setup(Run run)
        {
            var shared = new Pair();
            run.Thread("reader", () =>
            {
                int a = Volatile.Read(ref shared.A);
                Assert.Equal(a, shared.B);
            });
            run.Thread("writer", () =>
            {
                Volatile.Write(ref shared.A, 1);
                shared.B = 1;
            });
        }
    }

    [Fact]
    public void A_failure_can_be_run_again()
    {
        var bounds = new Bounds();
        InterleavingException? failure = Explore.FindFailure(bounds, Counting(atomic: false));
        InterleavingException? again = Explore.Replay(bounds, failure!.Schedule, Counting(atomic: false));
        Assert.Equal(failure.Schedule, again?.Schedule);
        failure = Explore.FindFailure(bounds, 7, 100, Counting(atomic: false));
        Assert.NotNull(Explore.Replay(bounds.Unbounded(), failure!.Schedule, Counting(atomic: false)));
    }

    [Fact]
    public void A_spin_that_nobody_ends_is_a_failure()
    {
        InterleavingException? failure = Explore.FindFailure(new Bounds { MaxPoints = 1000 }, static run =>
        {
            var shared = new Pair();
            run.Thread("spinner", () =>
            {
                var spin = new SpinWait();
                while (Volatile.Read(ref shared.A) == 0)
                    spin.SpinOnce();
            });
        });
        Assert.Contains("livelock", failure?.Message, StringComparison.Ordinal);
    }
}
