namespace NetGo;

/// <summary>A single event in the future; Go's time.Timer. It either sends the time on the channel <see cref="C"/>
/// (<see cref="Go.NewTimer(TimeSpan)"/>) or runs a function (<see cref="Go.AfterFunc(TimeSpan, Action, string, int)"/>). All
/// members may be used from any thread. A timer that is dropped fires all the same and is then gone; one that shall not, and
/// is far away, should be stopped, so that it does not keep what it refers to until then.</summary>
/// <remarks>As since Go 1.23: once <see cref="Stop"/> or <see cref="Reset(TimeSpan)"/> has returned, no value of before can
/// be received.</remarks>
public sealed class GoTimer : IDisposable
{
    private readonly RestartableTimer _timer;

    internal GoTimer(RestartableTimer timer, TimeSpan duration)
    {
        _timer = timer;
        timer.Reset(duration, TimeSpan.Zero);
    }

    /// <summary>Where it sends the time at which it came due, by the scheduler's <see cref="System.TimeProvider"/>. To be
    /// received from only.</summary>
    /// <exception cref="InvalidOperationException">The timer runs a function; it has no channel.</exception>
    public Channel<DateTimeOffset> C => _timer is ChannelTimer timer
        ? timer.Channel
        : throw new InvalidOperationException("A timer made by Go.AfterFunc runs a function and has no channel.");

    /// <summary>Keeps it from firing. Does not close the channel, and does not wait for a function that runs already.</summary>
    /// <returns>True when this call stopped it; false when it was stopped before, or its function was started, or the value
    /// received. Each time that it was set to ends in one way: with a value received or the function run, or with a true
    /// here or from <see cref="Reset(TimeSpan)"/>.</returns>
    public bool Stop() => _timer.Stop();

    /// <summary>Has it fire this long from now, once, whether it has fired before or not.</summary>
    /// <param name="duration">How long. At once when zero or negative; never when <see cref="TimeSpan.MaxValue"/>.</param>
    /// <returns>What <see cref="Stop"/> would have returned.</returns>
    public bool Reset(TimeSpan duration) => _timer.Reset(duration, TimeSpan.Zero);

    /// <summary>The same as <see cref="Stop"/>.</summary>
    public void Dispose() => Stop();
}
