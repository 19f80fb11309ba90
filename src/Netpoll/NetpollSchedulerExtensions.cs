namespace NetGo.Netpoll;

/// <summary>The network of a scheduler.</summary>
public static class NetpollSchedulerExtensions
{
    /// <summary>Chooses how the sockets of this scheduler are polled. Without it, the first listener or connection chooses by the
    /// defaults of <see cref="NetpollOptions"/>.</summary>
    /// <param name="scheduler">One whose network has not been used yet.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="InvalidOperationException">The scheduler's network is in use already.</exception>
    /// <exception cref="PlatformNotSupportedException">The system does not have this poller.</exception>
    /// <exception cref="FormatException"><c>NETGO_POLLER</c> names none.</exception>
    /// <exception cref="NotSupportedException">The scheduler is a simulation's.</exception>
    public static void UseNetpoll(this GoScheduler scheduler, NetpollOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        PollerSelection.Attach(scheduler, options ?? new NetpollOptions());
    }

    /// <summary>By what the sockets of this scheduler are polled; <see cref="PollerKind.Default"/> when its network has not been used
    /// yet.</summary>
    public static PollerKind GetPollerKind(this GoScheduler scheduler)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        return scheduler.Processors[0].AttachedPoller is INetPoller poller ? poller.Kind : PollerKind.Default;
    }
}
