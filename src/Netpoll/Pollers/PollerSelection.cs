namespace NetGo.Netpoll;

/// <summary>Chooses the poller, by option, environment or platform, and attaches one to each processor of a scheduler at its first
/// use of the network.</summary>
internal static class PollerSelection
{
    private const string Variable = "NETGO_POLLER";

    /// <summary>The poller of a scheduler's processor.</summary>
    public static INetPoller For(GoScheduler scheduler, int processor) =>
        (INetPoller)scheduler.PollerFor(processor, static index => Make(Chosen(PollerKind.Default)));

    /// <summary>Those of all its processors.</summary>
    public static INetPoller[] All(GoScheduler scheduler) => [.. Enumerable.Range(0, scheduler.MaxProcs).Select(i => For(scheduler, i))];

    /// <exception cref="InvalidOperationException">It has some already.</exception>
    public static void Attach(GoScheduler scheduler, NetpollOptions options)
    {
        PollerKind kind = Chosen(options.Poller);
        bool made = false;
        scheduler.PollerFor(0, index =>
        {
            made = true;
            return Make(kind);
        });
        if (!made)
            throw new InvalidOperationException("The scheduler's network is in use already: call UseNetpoll before the first listener or connection.");
        NetpollLog.Polling(options.Logger, kind);
    }

    /// <exception cref="FormatException">The environment variable names none.</exception>
    private static PollerKind Chosen(PollerKind option)
    {
        if (option != PollerKind.Default)
            return option;
        string? name = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(name))
            return OperatingSystem.IsWindows() ? PollerKind.Iocp : OperatingSystem.IsLinux() ? PollerKind.Epoll : PollerKind.Kqueue;
        return Enum.TryParse(name, ignoreCase: true, out PollerKind kind) && Enum.IsDefined(kind) && kind != PollerKind.Default
            ? kind
            : throw new FormatException($"{Variable} is \"{name}\": it must be epoll, kqueue or iocp.");
    }

    private static EpollPoller Make(PollerKind kind) => kind switch
    {
        PollerKind.Epoll when OperatingSystem.IsLinux() => new EpollPoller(),
        _ => throw new PlatformNotSupportedException($"There is no poller of kind {kind} on this system."),
    };
}
