using System.Runtime.CompilerServices;

namespace NetGo;

// What Go has in package time. All of it goes by the clock of the current scheduler.
public static partial class Go
{
    /// <summary>The current scheduler's clock and timers, for code that takes a <see cref="System.TimeProvider"/>.</summary>
    /// <seealso cref="GoScheduler.TimeProvider"/>
    public static TimeProvider TimeProvider => GoScheduler.Current.TimeProvider;

    /// <summary>Parks the goroutine for a time; Go's time.Sleep. To be awaited at once. It holds no thread. No wait at all when
    /// <paramref name="duration"/> is zero or negative.</summary>
    /// <param name="duration">How long. The resolution is a millisecond.</param>
    public static ValueTask SleepAsync(TimeSpan duration)
    {
        if (duration <= TimeSpan.Zero)
            return SleepNot();
        long until = GoScheduler.Current.TimeAfter(duration);
        return Machine.OfThisThread?.Current is { } g ? g.SleepAsync(until) : new ValueTask(new WaitOperation(until), 0);
    }

    /// <summary>Parks the goroutine for a time, or until a token is cancelled. To be awaited at once. It holds no thread. No wait
    /// at all when <paramref name="duration"/> is zero or negative.</summary>
    /// <param name="duration">How long. The resolution is a millisecond.</param>
    /// <param name="cancellationToken">Ends the sleep.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled, before the call or during the sleep.</exception>
    public static ValueTask SleepAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
            return SleepAsync(duration);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (duration <= TimeSpan.Zero)
            return SleepNot();
        GoScheduler scheduler = GoScheduler.Current;
        CancellableSleep sleep = CancellableSleep.Rent(scheduler, scheduler.TimeAfter(duration), cancellationToken);
        return new ValueTask(sleep, sleep.Token);
    }

    private static ValueTask SleepNot() => Machine.SpendBudget() ? YieldAsync() : default;

    /// <summary>Makes a timer that sends the time on its channel once; Go's time.NewTimer.</summary>
    /// <param name="duration">How long from now. At once when zero or negative; never when
    /// <see cref="TimeSpan.MaxValue"/>.</param>
    public static GoTimer NewTimer(TimeSpan duration) => new(new ChannelTimer(GoScheduler.Current), duration);

    /// <summary>A channel on which the time is sent once; Go's time.After. The same as the channel of
    /// <see cref="NewTimer(TimeSpan)"/>, for where the timer need not be stopped.</summary>
    /// <param name="duration">How long from now.</param>
    public static Channel<DateTimeOffset> After(TimeSpan duration) => NewTimer(duration).C;

    /// <summary>Runs a function in a goroutine of its own after a time; Go's time.AfterFunc. It inherits the caller's
    /// <see cref="ExecutionContext"/>.</summary>
    /// <param name="duration">How long from now. At once when zero or negative; never when
    /// <see cref="TimeSpan.MaxValue"/>.</param>
    /// <param name="body">What it runs.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The timer, to stop it, or to have it run the function again.</returns>
    public static GoTimer AfterFunc(TimeSpan duration, Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        return new GoTimer(new FuncTimer(GoScheduler.Current, body, file, line), duration);
    }

    /// <inheritdoc cref="AfterFunc(TimeSpan, Func{Task}, string, int)"/>
    public static GoTimer AfterFunc(TimeSpan duration, Action body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        return AfterFunc(duration, () =>
        {
            body();
            return Task.CompletedTask;
        }, file, line);
    }

    /// <summary>Makes a ticker, which sends the time on its channel once per period; Go's time.NewTicker.</summary>
    /// <param name="period">The time between two ticks, and until the first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="period"/> is not positive.</exception>
    public static GoTicker NewTicker(TimeSpan period) => new(new ChannelTimer(GoScheduler.Current), period);

    /// <summary>The channel of a new ticker; Go's time.Tick. For what goes on as long as the process: the ticker cannot be
    /// stopped.</summary>
    /// <param name="period">The time between two ticks, and until the first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="period"/> is not positive. (Go's returns nil.)</exception>
    public static Channel<DateTimeOffset> Tick(TimeSpan period) => NewTicker(period).C;
}
