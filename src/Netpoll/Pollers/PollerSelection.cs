namespace NetGo.Netpoll;

/// <summary>Chooses the platform's poller and attaches one to each processor of a scheduler at its first use of the network.
/// </summary>
internal static class PollerSelection
{
    /// <summary>The poller of a scheduler's processor.</summary>
    public static INetPoller For(GoScheduler scheduler, int processor) => (INetPoller)scheduler.PollerFor(processor, Make);

    private static EpollPoller Make(int processor) =>
        OperatingSystem.IsLinux()
            ? new EpollPoller()
            : throw new PlatformNotSupportedException("NetGo.Netpoll has a poller for Linux (epoll) only as yet.");
}
