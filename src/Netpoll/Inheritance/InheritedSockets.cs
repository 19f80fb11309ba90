using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// The protocol is that of sd_listen_fds(3): LISTEN_FDS sockets from descriptor 3 on, for the process LISTEN_PID, with names in
// LISTEN_FDNAMES. A process of which we know only the number of its parent is the other case: whoever starts a program cannot know its
// number before, and ListenerHandOver does not put a shell in between which could fill it in. So it says its own number instead
// (HandOverPid), with a socket to report to (HandOverDescriptor). Variables that got to a child of the process for which they were are
// known by either number. If the old process is gone already, the new one has another parent, but also the end of that socket's stream.

/// <summary>The listening sockets with which this process was started.</summary>
internal static class InheritedSockets
{
    public const int FirstDescriptor = 3;
    public const string Count = "LISTEN_FDS";
    public const string Names = "LISTEN_FDNAMES";
    public const string HandOverPid = "NETGO_HANDOVER_PID";
    public const string HandOverDescriptor = "NETGO_HANDOVER_FD";

    /// <summary>The process for which they are.</summary>
    public const string Pid = "LISTEN_PID";

    /// <summary>A descriptor that stands for that process, of newer versions of systemd.</summary>
    public const string PidDescriptorId = "LISTEN_PIDFDID";

    private const string NameWithoutNames = "unknown";

    public static IReadOnlyList<NetListener> Take(GoScheduler scheduler, ListenOptions options)
    {
        string? countText = Remove(Count), namesText = Remove(Names), pid = Remove(Pid), handOverPid = Remove(HandOverPid);
        int reportTo = Number(HandOverDescriptor, Remove(HandOverDescriptor)) ?? -1;
        _ = Remove(PidDescriptorId);
        if (countText is null)
            return [];
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException($"There is {Count} in the environment, but sockets are not inherited on Windows.");
        if (!AreForThisProcess(Number(Pid, pid), Number(HandOverPid, handOverPid), reportTo))
            return [];
        int count = Number(Count, countText) ?? 0;
        string[] names = namesText is null ? [.. Enumerable.Repeat(NameWithoutNames, count)] : namesText.Split(':');
        if (names.Length != count)
            throw new FormatException($"{Names} has {names.Length} names for {count} sockets.");
        var groups = new List<(EndPoint EndPoint, string Name, List<nint> Descriptors)>();
        for (int i = 0; i < count; i++)
        {
            nint descriptor = FirstDescriptor + i;
            if (ProblemWith(descriptor) is { } problem)
                throw new InvalidOperationException($"Descriptor {descriptor} (\"{names[i]}\"), which this process was started with by {Count}, {problem}.");
            EndPoint endPoint = SocketAddresses.LocalOf(descriptor);
            if (endPoint is IPEndPoint && groups.Find(g => g.EndPoint.Equals(endPoint)) is { Descriptors: { } others })
                others.Add(descriptor);
            else
                groups.Add((endPoint, names[i], [descriptor]));
        }
        var listeners = new NetListener[groups.Count];
        for (int i = 0; i < listeners.Length; i++)
            listeners[i] = NetListener.Over(scheduler, groups[i].Descriptors.ToArray(), groups[i].Name, options);
        if (reportTo >= 0 && UnixSockets.Adopt(reportTo) == 0)
        {
            var report = new HandOverReport(reportTo, listeners.Length);
            foreach (NetListener listener in listeners)
                listener.ReportTo(report);
        }
        return listeners;
    }

    private static string? Remove(string variable)
    {
        string? value = Environment.GetEnvironmentVariable(variable);
        if (value is not null)
            Environment.SetEnvironmentVariable(variable, null);
        return value;
    }

    private static int? Number(string variable, string? value)
    {
        if (value is null)
            return null;
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new FormatException($"{variable} is \"{value}\": it must be a number.");
    }

    private static bool AreForThisProcess(int? pid, int? handOverPid, int reportTo)
    {
        if (pid is not null)
            return pid == Environment.ProcessId;
        return handOverPid is not null && (handOverPid == ChildProcess.ParentId() || SystemSockets.Peek(reportTo) == 0);
    }

    /// <summary>Why a descriptor cannot be listened with; null when it can.</summary>
    public static string? ProblemWith(nint descriptor)
    {
        int listening = UnixSockets.IsListening(descriptor);
        if (listening == -UnixSockets.EBADF)
            return "is not open";
        if (listening == -UnixSockets.ENOTSOCK)
            return "is no socket";
        if (listening == -UnixSockets.EPROTOTYPE)
            return "is no stream socket";
        if (listening == 0)
            return "is a socket that does not listen";
        SystemSockets.Require(listening, $"ask what descriptor {descriptor} is");
        try
        {
            _ = SocketAddresses.LocalOf(descriptor);
            return null;
        }
        catch (NotSupportedException)
        {
            return "is a socket of another family than IP and Unix";
        }
    }
}
