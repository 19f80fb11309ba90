namespace NetGo;

/// <summary>Sends the time when it comes due on a channel that keeps one value; while it keeps one, others are dropped.</summary>
internal sealed class ChannelTimer(GoScheduler scheduler) : RestartableTimer(scheduler)
{
    public Channel<DateTimeOffset> Channel { get; } = NetGo.Channel.Make<DateTimeOffset>(1);

    protected override void Expire(long late)
    {
        try
        {
            Channel.TrySend(Scheduler.Clock.GetUtcNow() - TimeSpan.FromTicks(late / 100));
        }
        catch (ChannelClosedException)
        {
            // By the user, whose channel it is as well; the machine shall not end for it.
        }
    }

    protected override bool Withdraw() => Channel.TryReceive(out DateTimeOffset _);
}
