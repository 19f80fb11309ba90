namespace NetGo.Interleaving;

// Explores the interleavings of a few threads that share memory, in the manner of CHESS, Relacy and loom.
//
// What runs is the real source: the project compiles the files of src/Scheduler against the types in Shims/, which are
// called System.Threading.Interlocked, Volatile, Lock, Monitor and SpinWait, so that the compiler prefers them to the real
// ones (`lock` included). Each of their operations is a point at which the explorer decides which thread goes on. Only one
// thread runs at a time, so a run is a function of the list of decisions, and a run that fails can be run again.
//
//   Explore.All       every list of decisions within the bounds, depth first: at most so many preemptions (a switch away
//                     from a thread that could have gone on) and so many delayed stores
//   Explore.Random    so many runs by random priorities that change at a few random moments (PCT), from a seed
//   Explore.Replay    one run, from the list that a failure printed
//
// A test's setup makes the shared objects and declares the threads; it runs anew for each list of decisions, so it must
// be deterministic and share nothing with the run before:
//
//   Explore.All(new Bounds { Preemptions = 2, DelayedStores = 1 }, run =>
//   {
//       var queue = run.Share(new RunQueue());          // whose stores may be delayed
//       run.Thread("owner", () => queue.TryPut(g));
//       run.Thread("thief", () => ...);
//       run.Finally(() => Assert.Equal(...));           // when all threads have ended
//   });
//
// The memory model is x64's (total store order) when Bounds.DelayedStores is not 0: a store may stay in its thread's
// buffer, seen by that thread only, until the thread does an interlocked operation, takes or leaves a lock, or ends, or
// somebody asks for a process-wide barrier, or, at any moment, just so. With 0 it is sequential consistency. Loads are never
// reordered, so what only Arm would do is not found.
//
// Plain accesses are no points: a plain access happens together with the instrumented operation before it. That loses
// nothing where no other thread may access the same field at that time (owner-only and lock-guarded fields). Where one may
// (RunQueue's slots), Bounds.PlainAccesses puts a point after each operation too, so that the code between two operations
// is a step of its own; what remains unseen is a switch between two plain accesses with no operation in between. Plain
// stores are never delayed, and must not be to a place to which the same thread has a delayed store.
//
// That the explorer can find what it looks for is tested as well: each protocol is also run with one of its operations
// weakened (Weakness), and the test is that a failure is found.
//
// Why not Microsoft.Coyote: it rewrites assemblies after the build and controls tasks, monitors and interlocked operations
// with sequential consistency only: no store buffers, no process-wide barrier, so it could not tell a Dekker protocol
// with its fence from one without. System.Threading.Lock it does not know (its last release, 1.7.11, is for .NET 8; the
// request for .NET 9, microsoft/coyote#521, has stood open since 2025).
internal static class Explore
{
    /// <summary>Runs every list of decisions within the bounds.</summary>
    /// <exception cref="InterleavingException">A run failed.</exception>
    public static Exploration All(Bounds bounds, Action<Run> setup)
    {
        (Exploration exploration, InterleavingException? failure) = Search(bounds, new DepthFirst(), bounds.MaxRuns, setup);
        return failure is null ? exploration : throw failure;
    }

    /// <summary>Runs <paramref name="runs"/> lists of decisions made with random priorities.</summary>
    /// <exception cref="InterleavingException">A run failed.</exception>
    public static Exploration Random(Bounds bounds, int seed, int runs, Action<Run> setup)
    {
        (Exploration exploration, InterleavingException? failure) = Search(bounds.Unbounded(), new RandomPriorities(seed), runs, setup);
        return failure is null ? exploration : throw failure;
    }

    /// <summary>Looks for a failure as <see cref="All"/> does and returns it; null when there is none. For tests of the
    /// explorer and of how sharp a test is.</summary>
    public static InterleavingException? FindFailure(Bounds bounds, Action<Run> setup) =>
        Search(bounds, new DepthFirst(), bounds.MaxRuns, setup).Failure;

    /// <summary>Looks for a failure as <see cref="Random"/> does.</summary>
    public static InterleavingException? FindFailure(Bounds bounds, int seed, int runs, Action<Run> setup) =>
        Search(bounds.Unbounded(), new RandomPriorities(seed), runs, setup).Failure;

    /// <summary>Runs the list of decisions of an earlier failure (<see cref="InterleavingException.Schedule"/>), made with the
    /// same bounds: those of the message, which for <see cref="Random"/> are <see cref="Bounds.Unbounded"/>.</summary>
    public static InterleavingException? Replay(Bounds bounds, string schedule, Action<Run> setup)
    {
        using var threads = new ThreadSet();
        Run run = RunOnce(bounds, new Given(Schedule.Parse(schedule)), threads, setup, trace: true);
        return run.Failure is { } cause ? new InterleavingException(run, 1, cause) : null;
    }

    private static (Exploration Exploration, InterleavingException? Failure) Search(Bounds bounds, IDecisions decisions, int maxRuns, Action<Run> setup)
    {
        using var threads = new ThreadSet();
        int runs = 0;
        long points = 0;
        bool more = true;
        while (more && runs < maxRuns)
        {
            Run run = RunOnce(bounds, decisions, threads, setup, trace: false);
            runs++;
            points += run.Points;
            if (run.Failure is { } failure)
            {
                // Once more, to write down what happened.
                Run traced = RunOnce(bounds, new Given(run.Decisions), threads, setup, trace: true);
                return (new Exploration(runs, points, false), new InterleavingException(traced, runs, traced.Failure ?? failure));
            }
            more = decisions.MoveNext();
        }
        return (new Exploration(runs, points, Complete: !more), null);
    }

    private static Run RunOnce(Bounds bounds, IDecisions decisions, ThreadSet threads, Action<Run> setup, bool trace)
    {
        var run = new Run(bounds, decisions, threads, trace);
        run.Execute(setup);
        return run;
    }
}
