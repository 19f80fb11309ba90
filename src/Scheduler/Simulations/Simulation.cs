using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace NetGo;

// A simulation is a scheduler with one processor, whose machine is the calling thread. Three of its parts are replaced:
//
//   the clock    stands still while anything can run, and then jumps to the next timer (SimulationClock)
//   the poller   is where the machine comes when nothing can run: it moves the clock, wakes those in WaitAsync, or finds
//                that all goroutines are asleep for ever (SimulationPoller, Idle)
//   the policy   chooses what runs next by the seed (SimulationPolicy)
//
// A goroutine is interrupted only where it could park. To see interleavings that need an interruption between operations that
// do not wait (a lock that is free, a channel with room), its budget of such operations is random too.

/// <summary>Runs a concurrent program on one thread, with a virtual clock, in an order that a seed chooses: to test it in many
/// orders, to repeat the one that failed exactly, and without waiting for its sleeps. After Go's testing/synctest, which has no
/// seeds, and after madsim and Coyote, which do.
/// <para>Everything of this library works in it unchanged: goroutines, channels, select, mutexes, timers, contexts, scopes. What
/// does not belong to it breaks the repeatability: threads, <see cref="Task.Run(Action)"/>, <see cref="Task.Delay(int)"/>, sockets
/// and <c>ConfigureAwait(false)</c> on tasks; see <see cref="SimulationOptions.OutsideWait"/>. Code that blocks its thread until
/// another goroutine acts (<c>task.Result</c>) hangs, for there is only this thread.</para></summary>
/// <example><code>
/// Simulation.Explore(1_000, async () =>
/// {
///     Channel&lt;int&gt; numbers = Channel.Make&lt;int&gt;();
///     Go.Spawn(async () => await numbers.SendAsync(1));
///     Assert.Equal((1, true), await numbers.ReceiveAsync());
/// });
/// </code></example>
public sealed class Simulation
{
    private readonly SimulationOptions _options;
    private readonly SimulationClock _clock;
    private readonly SimulationPolicy _policy;
    private readonly GoScheduler _scheduler;
    private readonly SimulationRandom _random;
    private readonly SimulationPopulation _population = new();
    private readonly List<Goroutine> _waiters = [];
    private long _clockSteps;
    private bool _bodyEnded;
    private Exception? _failure;

    private Simulation(SimulationOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSteps, 1, nameof(SimulationOptions.MaxSteps));
        if (options.OutsideWait != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThan(options.OutsideWait, TimeSpan.Zero, nameof(SimulationOptions.OutsideWait));
        _options = options;
        _random = new SimulationRandom(options.Seed);
        _clock = new SimulationClock(options.StartTime);
        _policy = new SimulationPolicy(_random);
        Poller = new SimulationPoller(this);
        _scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, TimeProvider = _clock, Policy = _policy }, this);
        _scheduler.AddObserver(_population);
        _clock.Scheduler = _scheduler;
    }

    internal SimulationPoller Poller { get; }

    /// <summary>Runs a program to the end of its last goroutine.</summary>
    /// <param name="body">Its first goroutine.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>What it did.</returns>
    /// <exception cref="SimulationException">A goroutine ended with an exception, all were asleep for ever (dead-lock, or leaked by
    /// the body), or there was no end in sight. It names the seed.</exception>
    public static SimulationResult Run(
        Func<Task> body, SimulationOptions? options = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        return new Simulation(options ?? new SimulationOptions()).RunToEnd(body, file, line);
    }

    /// <summary>Runs a program once for each of a number of seeds, beginning with <see cref="SimulationOptions.Seed"/>, until one
    /// fails.</summary>
    /// <param name="seeds">How many.</param>
    /// <param name="body">The first goroutine. It is called once for each seed, and must start from scratch each time.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <exception cref="SimulationException">A run has failed. It names the seed.</exception>
    public static void Explore(
        int seeds, Func<Task> body, SimulationOptions? options = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(seeds);
        options ??= new SimulationOptions();
        for (int i = 0; i < seeds; i++)
            new Simulation(options with { Seed = options.Seed + (ulong)i }).RunToEnd(body, file, line);
    }

    /// <summary>Waits until all other goroutines of the simulation wait, for whatever it is, so that what they have done until then
    /// can be looked at. The clock does not move. Go's synctest.Wait. To be awaited at once.</summary>
    /// <exception cref="InvalidOperationException">No simulation runs here.</exception>
    public static ValueTask WaitAsync() =>
        GoScheduler.Current.Simulation is { } simulation
            ? new ValueTask(new IdleWait(simulation), 0)
            : throw new InvalidOperationException("Simulation.WaitAsync works inside of Simulation.Run only.");

    private SimulationResult RunToEnd(Func<Task> body, string file, int line)
    {
        _scheduler.Spawn(async () =>
        {
            await body();
            _bodyEnded = true;
        }, file, line);
        new Machine(_scheduler, 0).RunHere(_scheduler.Processors[0]);
        if (_failure is not null)
            throw new SimulationException(_options.Seed, _failure);
        return new SimulationResult(_options.Seed, _policy.Steps, _clock.Elapsed, _policy.TraceHash);
    }

    // ---- For the scheduler ----

    internal uint NextRandom() => _random.Next();

    internal int NextBudget()
    {
        CountSteps();
        return _policy.NextBudget();
    }

    private void CountSteps()
    {
        if (_policy.Steps + _clockSteps > _options.MaxSteps)
            Fail(new TimeoutException($"It has not ended after {_options.MaxSteps} steps (SimulationOptions.MaxSteps)."));
    }

    internal void Unhandled(UnhandledGoroutineException report) => Fail(report);

    /// <summary>Nothing can run until a timer is due.</summary>
    /// <param name="timeout">In how many nanoseconds it is; negative when there is no timer.</param>
    /// <param name="ready">Where to append what can run.</param>
    internal void Idle(long timeout, ref GoroutineQueue ready)
    {
        if (_population.Count == 0)
        {
            _scheduler.StopSimulated();
        }
        else if (_waiters.Count > 0)
        {
            foreach (Goroutine g in _waiters)
            {
                g.MarkRunnable();
                ready.PushBack(g);
            }
            _waiters.Clear();
        }
        else if (timeout >= 0)
        {
            _clock.Advance(timeout);
            _clockSteps++; // a ticker that nobody listens to makes no others
            CountSteps();
        }
        else if (!Poller.WaitForOutside(_options.OutsideWait))
        {
            Fail(new SimulationDeadlockException(_bodyEnded, _scheduler.Goroutines()));
        }
    }

    private void Fail(Exception failure)
    {
        _failure ??= failure;
        _scheduler.StopSimulated();
    }

    private sealed class IdleWait(Simulation simulation) : IValueTaskSource
    {
        private bool _awaited;

        public ValueTaskSourceStatus GetStatus(short token) =>
            _awaited ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

        public void GetResult(short token)
        {
            if (!_awaited)
                throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        }

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            if (_awaited)
                throw new InvalidOperationException("A ValueTask was awaited twice.");
            _awaited = true;
            simulation._waiters.Add(Goroutine.Park(continuation, state, WaitReason.SimulationIdle, flags));
        }
    }
}
