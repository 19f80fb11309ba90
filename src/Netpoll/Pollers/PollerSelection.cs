namespace NetGo.Netpoll;

/// <summary>Chooses the poller, by option, environment or platform, and attaches one to each processor of a scheduler at its first
/// use of the network.</summary>
internal static class PollerSelection
{
    private const string VariableName = "NETGO_POLLER";

    private static string? Variable => Environment.GetEnvironmentVariable(VariableName);

    /// <summary>The poller of a scheduler's processor.</summary>
    public static INetPoller For(GoScheduler scheduler, int processor) =>
        (INetPoller)scheduler.PollerFor(processor, static index => Make(Choose(PollerKind.Default, Variable)));

    /// <summary>For a socket that is opened by itself: the poller of the running goroutine's processor, which is likely to use
    /// it; on other threads that of each processor in turn.</summary>
    public static INetPoller ForNewSocket(GoScheduler scheduler)
    {
        int? processor = null;
        if (Machine.OfThisThread is { } machine && machine.Scheduler == scheduler)
        {
            processor = machine.Pin(out int previous)?.Index;
            machine.Unpin(previous);
        }
        return For(scheduler, processor ?? (int)(Interlocked.Increment(ref s_next) % scheduler.MaxProcs));
    }

    private static uint s_next;

    /// <summary>Those of all its processors.</summary>
    public static INetPoller[] All(GoScheduler scheduler) => [.. Enumerable.Range(0, scheduler.MaxProcs).Select(i => For(scheduler, i))];

    /// <exception cref="InvalidOperationException">It has some already.</exception>
    public static void Attach(GoScheduler scheduler, NetpollOptions options)
    {
        PollerKind kind = Choose(options.Poller, Variable);
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

    /// <summary>What the option says, else the environment variable, else the platform.</summary>
    /// <exception cref="FormatException">The variable names none.</exception>
    internal static PollerKind Choose(PollerKind option, string? variable)
    {
        if (option != PollerKind.Default)
            return option;
        if (string.IsNullOrEmpty(variable))
            return OperatingSystem.IsWindows() ? PollerKind.Iocp : OperatingSystem.IsLinux() ? PollerKind.Epoll : PollerKind.Kqueue;
        foreach (PollerKind kind in (ReadOnlySpan<PollerKind>)[PollerKind.Epoll, PollerKind.Kqueue, PollerKind.Iocp])
        {
            if (variable.Equals(kind.ToString(), StringComparison.OrdinalIgnoreCase))
                return kind;
        }
        throw new FormatException($"{VariableName} is \"{variable}\": it must be epoll, kqueue or iocp.");
    }

    private static INetPoller Make(PollerKind kind) => kind switch
    {
        PollerKind.Epoll when OperatingSystem.IsLinux() => new EpollPoller(),
        PollerKind.Kqueue => new KqueuePoller(),
        PollerKind.Iocp when OperatingSystem.IsWindows() => new IocpPoller(),
        _ => throw new PlatformNotSupportedException($"There is no poller of kind {kind} on this system."),
    };
}
