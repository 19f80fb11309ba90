namespace NetGo;

/// <summary>Sends the time on a channel again and again; Go's time.Ticker, made by <see cref="Go.NewTicker(TimeSpan)"/>. The
/// times are whole periods apart, however late each is sent; for a receiver that is slow, ticks are dropped. All members may be
/// used from any thread. It goes on until it is stopped, also when nobody refers to it any more.</summary>
public sealed class GoTicker : IDisposable
{
    private readonly ChannelTimer _timer;

    internal GoTicker(ChannelTimer timer, TimeSpan period)
    {
        _timer = timer;
        Reset(period);
    }

    /// <summary>Where it sends the time of each tick, by the scheduler's <see cref="System.TimeProvider"/>. To be received
    /// from only.</summary>
    public Channel<DateTimeOffset> C => _timer.Channel;

    /// <summary>No more ticks: once it has returned, none can be received. Does not close the channel.</summary>
    public void Stop() => _timer.Stop();

    /// <summary>Starts anew with another period: the next tick is one such period from now.</summary>
    /// <param name="period">The time between two ticks.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="period"/> is not positive.</exception>
    public void Reset(TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        _timer.Reset(period, period);
    }

    /// <summary>The same as <see cref="Stop"/>.</summary>
    public void Dispose() => Stop();
}
