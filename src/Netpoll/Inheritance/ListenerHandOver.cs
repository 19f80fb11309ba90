using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// The sockets are inherited, not opened anew: what waits in their backlogs is accepted by the new process if not by the old one, and
// a connection that the system has put to one of several sockets of an address (SO_REUSEPORT) is not lost with it.
//
//   old process                                          new process
//   duplicates the descriptors; posix_spawn with the
//   duplicates at 3 and after, a socket to report to
//   at the last, LISTEN_* and NETGO_HANDOVER_*
//   goes on accepting                                    starts up; NetListener.FromEnvironment
//   goes on accepting                                    accepts, on all listeners: reports
//   closes its listeners, serves its connections on      accepts
//
// Both accept for a moment, and each serves what it has accepted. The new process does not need the old one for anything after it
// has been started: if that one dies, it has the sockets.
//
// Why posix_spawn and not a shell in between that could fill in LISTEN_PID: images without a shell exist, and dash drops all
// variables from the environment whose names are not a shell's ("Logging:Level", "a.b"). What knows only LISTEN_PID can still be started
// through a shell, by who wants that; see below.

/// <summary>Starts another process, a new version of the program most often, that goes on accepting the connections of listeners of
/// this one. No connection is dropped or refused meanwhile.</summary>
public static class ListenerHandOver
{
    private static readonly TimeSpan s_defaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Starts the program with the listeners and waits until it accepts connections on all of them (or has closed some). From then
    /// on this process accepts no more: <see cref="NetListener.AcceptAsync(CancellationToken)"/> gives what had been accepted already
    /// and then ends as after a close. Connections stay where they are. When it fails, the new process is killed and this one accepts
    /// as before.</summary>
    /// <remarks>A program that uses <see cref="NetListener.FromEnvironment"/> needs nothing else. Any other finds the sockets from descriptor
    /// 3 on, as many as <c>LISTEN_FDS</c> says, with their names in <c>LISTEN_FDNAMES</c>; it must write a byte to the descriptor
    /// <c>NETGO_HANDOVER_FD</c> when it accepts. One that knows sd_listen_fds(3) also wants its process id in <c>LISTEN_PID</c>,
    /// which is not known before it is started: start it as <c>/bin/sh -c 'LISTEN_PID=$$; export LISTEN_PID; exec "$0" "$@"' PROGRAM</c>.
    /// </remarks>
    /// <param name="listeners">All on one scheduler. They keep their <see cref="NetListener.Name"/>.</param>
    /// <param name="startInfo">The program: <see cref="ProcessStartInfo.FileName"/>, sought by PATH when it has no slash,
    /// <see cref="ProcessStartInfo.ArgumentList"/>, <see cref="ProcessStartInfo.Environment"/> and
    /// <see cref="ProcessStartInfo.WorkingDirectory"/>. It has the standard streams of this process.</param>
    /// <param name="timeout">How long it may take until it accepts; null for 30 s.</param>
    /// <param name="cancellationToken">Ends the wait; as a failure.</param>
    /// <returns>Its process id. It is a child of this process.</returns>
    /// <exception cref="ArgumentException">There are no listeners, or the start info asks for what cannot be had.</exception>
    /// <exception cref="ObjectDisposedException">A listener has been closed.</exception>
    /// <exception cref="SocketException">There are no descriptors left.</exception>
    /// <exception cref="Win32Exception">The program could not be started.</exception>
    /// <exception cref="IOException">It ended before it accepted connections.</exception>
    /// <exception cref="TimeoutException">It did not accept connections in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    public static Task<int> StartAsync(
        IEnumerable<NetListener> listeners, ProcessStartInfo startInfo, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(listeners);
        ArgumentNullException.ThrowIfNull(startInfo);
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("NetGo.Netpoll does not hand listeners over on Windows.");
        NetListener[] all = [.. listeners];
        if (all.Length == 0)
            throw new ArgumentException("There are no listeners to hand over.", nameof(listeners));
        Require(startInfo, startInfo.FileName.Length > 0, "FileName must name the program");
        Require(startInfo, startInfo.Arguments.Length == 0, "the arguments must be in ArgumentList, not in Arguments");
        Require(startInfo, startInfo.UserName.Length == 0, "the program has the user of this process: UserName must be empty");
        Require(
            startInfo,
            !startInfo.RedirectStandardInput && !startInfo.RedirectStandardOutput && !startInfo.RedirectStandardError,
            "the program has the standard streams of this process: they cannot be redirected");
        TimeSpan limit = timeout ?? s_defaultTimeout;
        return all[0].Scheduler.RunAsync(() => RunAsync(all, startInfo, limit, cancellationToken));
    }

    private static void Require(ProcessStartInfo startInfo, bool condition, string rule)
    {
        if (!condition)
            throw new ArgumentException($"The start info is not for a hand-over: {rule}.", nameof(startInfo));
    }

    private static async Task<int> RunAsync(NetListener[] listeners, ProcessStartInfo startInfo, TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        GoScheduler scheduler = listeners[0].Scheduler;
        SystemSockets.Require(UnixSockets.OpenPair(out nint ours, out nint theirs), "hand listeners over");
        using var report = new NetConnection(scheduler, PollerSelection.For(scheduler, 0), ours, default);
        int child;
        try
        {
            child = Go.Blocking(() => Start(listeners, startInfo, theirs));
        }
        finally
        {
            _ = SystemSockets.Close(theirs);
        }
        bool accepts;
        try
        {
            report.SetReadDeadline(timeout);
            accepts = await report.ReadAsync(new byte[1], cancellationToken) > 0;
        }
        catch (Exception e)
        {
            Go.Blocking(() => ChildProcess.Kill(child));
            if (e is TimeoutException)
                throw new TimeoutException($"The new process ({child}) did not accept connections within {timeout}. It has been killed.");
            throw;
        }
        if (!accepts)
            throw new IOException($"The new process ({child}) ended before it accepted connections: {Go.Blocking(() => ChildProcess.Kill(child))}.");
        foreach (NetListener listener in listeners)
            listener.HandedOver();
        return child;
    }

    private static int Start(NetListener[] listeners, ProcessStartInfo startInfo, nint report)
    {
        int count = listeners.Sum(l => l.ShardCount);
        int last = InheritedSockets.FirstDescriptor + count;
        var lent = new List<nint>(count + 1);
        var names = new List<string>(count);
        try
        {
            // Greater than all numbers that they will have in the child, so that none is overwritten there before it is put in its place.
            foreach (NetListener listener in listeners)
            {
                foreach (ListenSocket shard in listener.Shards)
                {
                    lent.Add(shard.Lend(last + 1));
                    names.Add(listener.Name);
                }
            }
            nint duplicate = UnixSockets.Duplicate(report, last + 1);
            SystemSockets.Require((int)duplicate, "hand listeners over");
            lent.Add(duplicate);
            return ChildProcess.Start(startInfo, EnvironmentFor(startInfo, names, last), lent.ToArray());
        }
        finally
        {
            foreach (nint descriptor in lent)
                _ = SystemSockets.Close(descriptor);
        }
    }

    private static Dictionary<string, string> EnvironmentFor(ProcessStartInfo startInfo, List<string> names, int report)
    {
        var environment = new Dictionary<string, string>();
        foreach ((string name, string? value) in startInfo.Environment)
        {
            if (value is not null)
                environment[name] = value;
        }
        environment.Remove(InheritedSockets.Pid);
        environment.Remove(InheritedSockets.PidDescriptorId);
        environment[InheritedSockets.Count] = names.Count.ToString(CultureInfo.InvariantCulture);
        environment[InheritedSockets.Names] = string.Join(':', names);
        environment[InheritedSockets.HandOverPid] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        environment[InheritedSockets.HandOverDescriptor] = report.ToString(CultureInfo.InvariantCulture);
        return environment;
    }
}
