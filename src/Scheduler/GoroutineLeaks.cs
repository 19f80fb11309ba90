namespace NetGo;

/// <summary>Finds goroutines that outlive the code under test: for test suites, as uber-go/goleak is for Go's. In a
/// <see cref="Simulation"/> it is not needed, which fails by itself.</summary>
/// <example><code>
/// await using var leaks = GoroutineLeaks.Watch();
/// ... // the test; leaving the block waits a moment for its goroutines to end, and fails when they do not
/// </code></example>
public sealed class GoroutineLeaks : IAsyncDisposable
{
    private static readonly TimeSpan s_defaultLimit = TimeSpan.FromSeconds(5);

    private readonly GoScheduler _scheduler;
    private readonly HashSet<long> _before;

    private GoroutineLeaks(GoScheduler scheduler)
    {
        _scheduler = scheduler;
        _before = [.. scheduler.Goroutines().Select(static g => g.Id)];
    }

    /// <summary>Begins to watch: goroutines spawned from now on are the test's.</summary>
    /// <param name="scheduler">Null for <see cref="GoScheduler.Current"/>.</param>
    public static GoroutineLeaks Watch(GoScheduler? scheduler = null) => new(scheduler ?? GoScheduler.Current);

    /// <summary>Waits until all goroutines that were spawned since <see cref="Watch"/> have ended; not for the one that
    /// calls.</summary>
    /// <param name="within">How long at most; null for 5 seconds, <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GoroutineLeakException">Some have not. It names where they were spawned.</exception>
    public async Task CheckAsync(TimeSpan? within = null, CancellationToken cancellationToken = default)
    {
        long caller = Machine.OfThisThread is { } machine && machine.Scheduler == _scheduler ? machine.RunningId : 0;
        TimeSpan limit = within ?? s_defaultLimit;
        long deadline = limit == Timeout.InfiniteTimeSpan ? long.MaxValue : Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (true)
        {
            List<GoroutineInfo> left = [.. _scheduler.Goroutines().Where(g => g.Id != 0 && g.Id != caller && !_before.Contains(g.Id))];
            if (left.Count == 0)
                return;
            if (Environment.TickCount64 >= deadline)
                throw new GoroutineLeakException(left);
            await Task.Delay(5, cancellationToken);
        }
    }

    /// <summary><see cref="CheckAsync"/> with its defaults.</summary>
    public ValueTask DisposeAsync() => new(CheckAsync());
}
